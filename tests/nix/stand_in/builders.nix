# Writers of files and folders. Scripts are parsed when they are written, applications are shellchecked, as in nixpkgs.
{
  lib,
  host,
  final,
  ...
}:
let
  inherit (final.stdenv) mkDerivation;

  runCommand =
    name: environment: buildCommand:
    mkDerivation (
      environment
      // {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ (environment.passAsFile or [ ]);
      }
    );

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      passthru ? { },
    }:
    mkDerivation {
      inherit name text passthru;
      passAsFile = [ "text" ];
      meta =
        lib.optionalAttrs (executable && lib.hasPrefix "/bin/" destination) {
          mainProgram = baseNameOf destination;
        }
        // meta;
      buildCommand = ''
        target=$out${lib.escapeShellArg destination}
        mkdir -p "$(dirname "$target")"
        cp "$textPath" "$target"
        ${lib.optionalString executable "chmod +x \"$target\""}
        ${checkPhase}
      '';
    };

  parsed = ''${host.bash} -n "$target"'';
  script =
    destination: name: text:
    writeTextFile {
      inherit name;
      destination = if destination then "/bin/${name}" else "";
      executable = true;
      text = "#!${host.bash}\n${text}\n";
      checkPhase = parsed;
    };

  # Everything below some packages, in one folder; the first that has a name keeps it.
  joined =
    {
      name,
      paths,
      postBuild ? "",
      ignoreSingleFileOutputs ? false,
      meta ? { },
      passthru ? { },
      ...
    }:
    runCommand name { inherit meta passthru; } ''
      mkdir -p "$out"
      for path in ${toString paths}; do
        if [ -d "$path" ]; then
          cp --recursive --symbolic-link --no-clobber "$path/." "$out/"
          chmod -R u+w "$out"
        elif [ -z "${toString ignoreSingleFileOutputs}" ]; then
          echo "$path is a file, and cannot be joined" >&2
          exit 1
        fi
      done
      ${postBuild}
    '';

  call =
    function: arguments:
    let
      f = if lib.isFunction function then function else import function;
    in
    f (builtins.intersectAttrs (lib.functionArgs f) final // arguments);

  # Files of devenv that would compile a program: what they give is stood in for.
  standIns = {
    "workspace.nix" = _: { crates = { inherit (final) devenv-tasks; }; };
    "wrapper.nix" = arguments: arguments.python // { override = _: arguments.python; };
    "postbuild-wrapper.nix" = _: _: "";
  };

  # ragbed's own package, whose wheels a machine without a network cannot have: this checkout's ragbed.
  ragbed =
    _:
    final.writeTextFile {
      name = "ragbed";
      executable = true;
      destination = "/bin/ragbed";
      text = "#!${host.bash}\nexec ${host.programs.python3} -m ragbed \"$@\"\n";
    };
  isRagbed =
    function:
    builtins.isPath function && lib.hasSuffix "/nix/python/package.nix" (toString function);
in
{
  inherit runCommand writeTextFile;
  runCommandLocal = runCommand;
  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      inherit text;
      name = baseNameOf path;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
    };
  writeShellScript = script false;
  writeShellScriptBin = script true;
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      meta ? { },
      ...
    }:
    writeTextFile {
      inherit name meta;
      executable = true;
      destination = "/bin/${name}";
      text = ''
        #!${host.bash}
        set -o errexit -o nounset -o pipefail
        export PATH="${lib.makeBinPath runtimeInputs}:$PATH"
        ${text}
      '';
      checkPhase = "${parsed}\n${host.programs.shellcheck or "true"} \"$target\"";
    };

  linkFarm =
    name: entries:
    runCommand name { passthru = { inherit entries; }; } (
      lib.concatMapStrings (entry: ''
        mkdir -p "$out/$(dirname ${lib.escapeShellArg entry.name})"
        ln -s ${lib.escapeShellArg "${entry.path}"} "$out"/${lib.escapeShellArg entry.name}
      '') entries
    );
  symlinkJoin = arguments: joined ({ name = "joined"; } // arguments);
  buildEnv = joined;

  # A file of this machine is fetched by Nix itself, and its digest enforced; what lies on the network is not there.
  fetchurl =
    {
      url,
      sha256,
      name ? baseNameOf url,
    }:
    import <nix/fetchurl.nix> { inherit url sha256 name; };
  # devenv asks for its own nixpkgs and an overlay, to take its devenv-tasks from.
  fetchFromGitHub =
    { repo, ... }:
    if repo == "rust-overlay" then final.writeText "no-overlay.nix" "final: prev: { }" else ./.;

  callPackage =
    function:
    if isRagbed function then ragbed else (standIns.${if builtins.isPath function then baseNameOf function else ""} or (call function));
}
