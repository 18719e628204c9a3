# Packages that are derivations and are never built, and builders whose scripts and files are real: tests read them.
{
  lib,
  system,
  versions,
}:
let
  services = (import ../../../nix/lib { }).services;

  package =
    name: more:
    derivation {
      inherit name system;
      builder = "/bin/sh";
    }
    // {
      version = "0";
      meta.mainProgram = name;
    }
    // more;

  named = lib.genAttrs [
    "cacert"
    "coreutils"
    "curl"
    "git"
    "gnugrep"
    "gnused"
    "jq"
    "lsof"
    "ollama"
    "qdrant-web-ui"
    "shellcheck"
    "zlib"
  ] (name: package name { });

  accelerated = lib.genAttrs [
    "ollama-cuda"
    "ollama-rocm"
    "ollama-vulkan"
  ] (name: package name { inherit (services.ollama) version; });

  # As nixpkgs has them: these three do not run what their name says, or nothing.
  mains = {
    redis.meta.mainProgram = "redis-cli";
    postgres.meta.mainProgram = "postgres";
    qdrant.meta = { };
    ollama.meta.mainProgram = "ollama";
  };
  pinned = builtins.listToAttrs (
    map (
      service:
      let
        pin = services.${service};
      in
      {
        name = pin.attribute;
        value = package pin.attribute (
          mains.${service} // { version = versions.${service} or pin.version; }
        );
      }
    ) (builtins.attrNames services)
  );

  # A real file without what it refers to: nothing needs to be built to read it.
  file = name: text: builtins.toFile name (builtins.unsafeDiscardStringContext text);
  json = name: value: file name (builtins.toJSON value);
  interpreter = (import ../../../nix/lib { }).python;
in
named
// accelerated
// pinned
// {
  inherit lib;
  ${interpreter.attribute} = package interpreter.attribute { inherit (interpreter) version; };
  stdenv = {
    inherit system;
    hostPlatform = {
      inherit system;
      isLinux = builtins.match ".*-linux" system != null;
      isDarwin = builtins.match ".*-darwin" system != null;
    };
  };
  formats.yaml = _: {
    type = lib.types.attrsOf lib.types.anything;
    generate = json;
  };
  writeText = file;
  writeShellScript = name: text: file name "#!/usr/bin/env bash\n${text}";
  linkFarm = name: entries: package name { inherit entries; };
  fetchurl =
    {
      name,
      url,
      sha256,
    }:
    package name { inherit url sha256; };
  callPackage = path: _: package (baseNameOf (dirOf path)) { inherit path; };
}
