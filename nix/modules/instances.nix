# A service that a project may have more than once: itself, and `instances` by name.
{ lib }:
service: top:
let
  upper = lib.toUpper;
  plain = builtins.replaceStrings [ "-" ] [ "_" ];

  main = {
    cfg = top;
    process = service;
    option = "services.${service}";
    variable = head: tail: "${head}_${tail}";
  };
  further = name: cfg: {
    inherit cfg;
    process = "${service}-${name}";
    option = "services.${service}.instances.${name}";
    variable =
      head: tail: "${head}_${upper (plain name)}_${tail}";
  };
in
rec {
  # Those that run.
  all = lib.optional top.enable main ++ lib.mapAttrsToList further top.instances;

  # One set of what each of them gives.
  each = make: lib.mkMerge (map make all);

  option =
    optionsOf: example:
    lib.mkOption {
      type = lib.types.attrsOf (
        lib.types.submodule (
          { name, config, ... }:
          {
            options = optionsOf {
              inherit name;
              self = config;
            };
          }
        )
      );
      default = { };
      example = {
        second = example;
      };
      description = "Further instances by name, each a process with files and variables of its own.";
    };
}
