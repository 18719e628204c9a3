# Commands on store paths: `nix run .#up`, `nix run .#smoke`, `nix run .#doctor`.
#
# `ragbed` starts the pinned servers; the documents and the pins are those of the flake.
{ pkgs, packages }:
let
  command = words: description: {
    type = "app";
    program = "${
      pkgs.writeShellApplication {
        name = "ragbed-${words}";
        text = ''exec ${pkgs.lib.getExe packages.ragbed} ${words} "$@"'';
      }
    }/bin/ragbed-${words}";
    meta = { inherit description; };
  };
in
{
  up = command "up" "Start the pinned services and wait until every one answers";
  smoke = command "smoke" "Prove that the RAG pipeline works end to end on the pinned services";
  doctor = command "doctor" "Say what is here, whether it equals the pins, and what to type";
}
