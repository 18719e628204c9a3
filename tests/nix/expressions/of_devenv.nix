# What a configuration under devenv's own modules has: the parts that the small module system shows of it.
config:
let
  text = value: if value == null then null else builtins.unsafeDiscardStringContext (toString value);
in
{
  env = builtins.mapAttrs (_: text) config.env;
  processes = builtins.mapAttrs (_: process: {
    exec = text process.exec;
    inherit (process) after before;
    env = builtins.mapAttrs (_: text) process.env;
    ports = builtins.mapAttrs (_: port: port.value) process.ports;
    ready =
      if process.ready == null then
        null
      else
        {
          inherit (process.ready)
            initial_delay
            period
            probe_timeout
            failure_threshold
            ;
          http = process.ready.http.get;
        };
    compose = process.process-compose;
  }) config.processes;
  tasks = builtins.mapAttrs (_: task: { inherit (task) after before description; }) config.tasks;
  failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
  inherit (config) warnings;
  enterShell = text config.enterShell;
  manager = config.process.manager.implementation;
  root = config.devenv.root;
  # that nothing which devenv checks while it makes the shell is wrong
  shell = text config.shell.drvPath;
}
