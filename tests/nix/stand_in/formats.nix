# Formats of configuration files. All of them are written as JSON, which is YAML too.
{ lib, final, ... }:
let
  inherit (lib) types;

  valueOf =
    name:
    let
      value = types.nullOr (
        types.oneOf [
          types.bool
          types.int
          types.float
          types.str
          types.path
          (types.attrsOf value)
          (types.listOf value)
        ]
      );
    in
    value // { description = "a value of ${name}"; };

  format = name: _: {
    type = valueOf name;
    generate = file: value: final.writeText file (builtins.toJSON value);
  };
in
{
  formats = lib.genAttrs [
    "ini"
    "json"
    "keyValue"
    "toml"
    "yaml"
    "yaml_1_2"
  ] format;
}
