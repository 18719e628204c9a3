# The project as devenv's own command line evaluates it: by the code that devenv's source brings for that.
{
  devenv,
  project,
  version,
}:
(import (devenv + "/devenv-nix-backend/bootstrap") {
  inherit version;
  system = builtins.currentSystem;
  devenv_root = project;
  devenv_dotfile = project + "/.devenv";
  devenv_dotfile_path = project + "/.devenv";
  devenv_tmpdir = "/tmp";
  devenv_runtime = project + "/.devenv/run";
  devenv_direnvrc_latest_version = 2;
  hostname = null;
  username = null;
  cli_options = { };
}).config
