# The options of devenv that modules here may set, with devenv's types and defaults.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  text = option types.str "";
  maybeText = option (types.nullOr types.str) null;
  texts = option (types.listOf types.str) [ ];
  variables = option (types.attrsOf types.str) { };

  port =
    { config, ... }:
    {
      options.allocate = mkOption { type = types.port; };
      options.value = option types.port config.allocate;
    };

  get = {
    options = {
      host = option types.str "127.0.0.1";
      port = mkOption { type = types.port; };
      path = option types.str "/";
      scheme = option types.str "http";
    };
  };

  ready = {
    options = {
      exec = maybeText;
      http.get = option (types.nullOr (types.submodule get)) null;
      initial_delay = option types.int 0;
      period = option types.int 10;
      probe_timeout = option types.int 1;
      success_threshold = option types.int 1;
      failure_threshold = option types.int 3;
    };
  };

  process.options = {
    exec = mkOption { type = types.str; };
    env = variables;
    cwd = maybeText;
    after = texts;
    before = texts;
    ports = option (types.attrsOf (types.submodule port)) { };
    ready = option (types.nullOr (types.submodule ready)) null;
    restart.on = option (types.enum [
      "never"
      "always"
      "on_failure"
    ]) "on_failure";
    start.enable = option types.bool true;
    process-compose = option (types.attrsOf types.anything) { };
  };

  task.options = {
    exec = maybeText;
    status = maybeText;
    description = text;
    after = texts;
    before = texts;
    cwd = maybeText;
    env = variables;
    showOutput = option types.bool false;
    exports = texts;
  };

  script.options = {
    exec = mkOption { type = types.str; };
    description = text;
  };
in
{
  imports = [ ./devenv-services.nix ];

  options = {
    assertions = option (types.listOf types.anything) [ ];
    warnings = texts;
    env = option (types.lazyAttrsOf types.anything) { };
    packages = option (types.listOf types.package) [ ];
    enterShell = option types.lines "";
    enterTest = option types.lines "";
    devenv = {
      root = mkOption { type = types.str; };
      dotfile = option types.str "${config.devenv.root}/.devenv";
      state = option types.str "${config.devenv.dotfile}/state";
    };
    process.manager.implementation = option (types.enum [
      "native"
      "process-compose"
    ]) "process-compose";
    process.taskCommands = variables;
    processes = option (types.attrsOf (types.submodule process)) { };
    tasks = option (types.attrsOf (types.submodule task)) { };
    scripts = option (types.attrsOf (types.submodule script)) { };
    languages = option (types.attrsOf types.anything) { };
  };

  config = {
    env = {
      DEVENV_ROOT = config.devenv.root;
      DEVENV_STATE = config.devenv.state;
    };
    process.taskCommands = builtins.mapAttrs (
      name: _: "exec devenv-tasks run devenv:processes:${name}"
    ) config.processes;
  };
}
