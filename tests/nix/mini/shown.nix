# What tests look at, without a reference to anything that would have to be built.
{
  lib,
  config,
  options,
}:
let
  text = value: if value == null then null else builtins.unsafeDiscardStringContext (toString value);

  ready =
    probe:
    if probe == null then
      null
    else
      {
        inherit (probe)
          initial_delay
          period
          probe_timeout
          failure_threshold
          ;
        exec = text probe.exec;
        http = probe.http.get;
      };

  enabled = builtins.filter (name: config.services.${name}.enable or false) [
    "postgres"
    "redis"
    "qdrant"
    "ollama"
  ];
  # functions and packages
  unreadable = {
    postgres = [
      "package"
      "extensions"
    ];
    redis = [ "package" ];
    qdrant = [
      "package"
      "webUI"
    ];
    ollama = [ "package" ];
  };

  # Every option that the modules of this repository declare: what it says of itself.
  describe =
    prefix: set:
    if set._type or "" == "option" then
      [
        {
          name = prefix;
          described = set ? description;
          exampled = set ? example;
        }
      ]
    else
      builtins.concatLists (lib.mapAttrsToList (name: describe "${prefix}.${name}") set);
  own = removeAttrs options.services [
    "postgres"
    "redis"
  ];
in
{
  env = builtins.mapAttrs (_: text) config.env;
  packages = map (package: package.name) config.packages;
  processes = builtins.mapAttrs (_: process: {
    exec = text process.exec;
    inherit (process) after before;
    env = builtins.mapAttrs (_: text) process.env;
    ports = builtins.mapAttrs (_: port: port.value) process.ports;
    ready = ready process.ready;
    compose = process.process-compose;
  }) config.processes;
  tasks = builtins.mapAttrs (_: task: {
    exec = text task.exec;
    inherit (task) after before description;
  }) config.tasks;
  scripts = builtins.mapAttrs (_: script: text script.exec) config.scripts;
  services = lib.genAttrs enabled (name: removeAttrs config.services.${name} unreadable.${name}) // {
    versions = lib.genAttrs enabled (name: config.services.${name}.package.version);
  };
  failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
  inherit (config) warnings;
  enterShell = text config.enterShell;
  enterTest = text config.enterTest;
  manager = config.process.manager.implementation;
  options = builtins.concatLists (lib.mapAttrsToList (name: describe "services.${name}") own);
}
