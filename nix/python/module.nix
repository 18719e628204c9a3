# ragbed's own checkout in a devenv shell: the pinned Python, and `ragbed` on PATH.
#
# The environment is the one that `scripts/ragbed` makes on every machine, by pip from the hash-checked
# `requirements.lock`; here it is made on the pinned interpreter, in devenv's state, when the first command is called or
# by `devenv up`. Entering the shell installs nothing. The environment's programs are not on PATH, so no server that a wheel brings
# stands before the pinned one.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (import ./. { inherit pkgs; }) interpreter environment;
in
{
  languages.python = {
    enable = true;
    package = interpreter;
    lsp.enable = false;
    # What wheels may expect of every Linux, beside libstdc++, which devenv adds.
    libraries = [
      "${config.devenv.dotfile}/profile" # as by default
      "${pkgs.zlib}"
    ];
  };

  env.RAGBED_VENV = "${config.devenv.state}/${environment}";

  processes = {
    # Before the RAG API and not by it: a process that takes a minute to be ready for the first time would be ended.
    python-environment = rec {
      exec = "exec ${config.services.ragbed.command} --version";
      # process-compose runs it without devenv-tasks, which stays when the process that it watches has ended
      process-compose.command = exec;
    };

    rag-api = lib.mkIf config.services.ragbed.api.enable {
      process-compose.depends_on.python-environment.condition = "process_completed_successfully";
    };
  };

  services.ragbed.package = lib.mkDefault null; # the script below is the command

  scripts.ragbed = {
    exec = ''exec "$DEVENV_ROOT/scripts/ragbed" "$@"'';
    description = "any command of this checkout, its Python environment made first where it is missing";
  };
}
