# Packages that are links to programs of this machine; one that it lacks says so when it is run.
{
  lib,
  host,
  final,
  ...
}:
let
  absent = program: ''
    printf '#!%s\necho "the stand-in for nixpkgs has no %s: this machine lacks it" >&2\nexit 127\n' \
      ${host.bash} ${program} >"$out/bin/${program}"
    chmod +x "$out/bin/${program}"
  '';

  package =
    name:
    {
      programs ? [ name ],
      version ? "0",
      meta ? {
        mainProgram = builtins.head programs;
      },
      passthru ? { },
      more ? "",
    }:
    final.stdenv.mkDerivation {
      pname = name;
      inherit version meta passthru;
      buildCommand = ''
        mkdir -p "$out/bin" "$out/lib"
        ${lib.concatMapStrings (
          program:
          if host.programs ? ${program} then
            "ln -s ${host.programs.${program}} \"$out/bin/${program}\"\n"
          else
            absent program
        ) programs}
        ${more}
      '';
    };

  # The services, at the versions and under the attributes that the pins name, with nixpkgs' main programs.
  services = {
    # As nixpkgs packs it: the server behind a wrapper, what belongs to it beside, and no pg_config.
    postgres = {
      programs = lib.remove "pg_config" host.postgres.programs;
      more = ''
        rm "$out/bin/postgres"
        printf '#!%s\nexec %s "$@"\n' ${host.bash} ${host.programs.postgres} >"$out/bin/postgres"
        chmod +x "$out/bin/postgres"
        mkdir "$out/share"
        ln -s ${host.postgres.share} "$out/share/postgresql"
      '';
      meta.mainProgram = "postgres";
      passthru = {
        psqlSchema = "0";
        pkgs.pgvector = package "pgvector" { programs = [ ]; };
        withPackages = _: final.${host.pins.postgres.attribute};
      };
    };
    redis = {
      programs = [
        "redis-server"
        "redis-cli"
      ];
      meta.mainProgram = "redis-cli";
    };
    qdrant = {
      programs = [ "qdrant" ];
      meta = { };
    };
    ollama.programs = [ "ollama" ];
  };
  pinned = lib.mapAttrs' (
    service: pin:
    lib.nameValuePair pin.attribute (
      package pin.attribute (services.${service} // { inherit (pin) version; })
    )
  ) host.pins;

  python = package host.python.attribute {
    inherit (host.python) version;
    programs = [
      "python3"
      "python"
    ];
    passthru = {
      pythonVersion = lib.versions.majorMinor host.python.version;
      sitePackages = "lib/python3/site-packages";
      interpreter = host.programs.python3;
      executable = "python3";
      pkgs.requiredPythonModules = modules: modules;
    };
  };
in
lib.genAttrs host.simple (name: package name { })
// pinned
// {
  ${host.python.attribute} = python;
  python3 = python;
  postgresql = final.${host.pins.postgres.attribute};
  bash = package "bash" {
    programs = [
      "bash"
      "sh"
    ];
  };
  bashInteractive = final.bash;
  coreutils = package "coreutils" { programs = host.coreutils; };
  gnugrep = package "gnugrep" { programs = [ "grep" ]; };
  gawk = package "gawk" { programs = [ "awk" ]; };
  gcc = package "gcc" { programs = [ "cc" ]; };
  libressl.nc = package "netcat" { programs = [ "nc" ]; };
  runtimeShell = host.bash;
  apple-sdk = null;
  glibcLocalesUtf8 = null;
  cacert = final.runCommand "cacert" { } ''
    mkdir -p $out/etc/ssl/certs
    ln -s ${host.certificates} $out/etc/ssl/certs/ca-bundle.crt
  '';
  qdrant-web-ui = package "qdrant-web-ui" { programs = [ ]; };

  # devenv's own program, in Rust, which an offline machine cannot have.
  devenv-tasks = final.writeScriptBin "devenv-tasks" (
    "#!${host.programs.python3}\n" + builtins.readFile ./devenv_tasks.py
  );
}
