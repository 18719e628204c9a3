# The project's own path of a file: a flake sees a copy in the store, and ragbed's commands may write the file.
{
  config,
  lib,
  inputs,
}:
path:
let
  text = toString path;
  copy = "${toString (inputs.self or "/there-is-no-flake")}/";
in
if lib.hasPrefix copy text then "${config.devenv.root}/${lib.removePrefix copy text}" else text
