# devenv's own Postgres and Redis, as far as modules here set them or build on them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  inherit (config.services) postgres redis;
  slow = {
    initial_delay = 2;
    probe_timeout = 4;
    failure_threshold = 5;
  };
in
{
  options.services = {
    postgres = {
      enable = lib.mkEnableOption "PostgreSQL";
      package = mkOption { type = types.package; };
      extensions = option (types.nullOr (types.functionTo types.anything)) null;
      listen_addresses = option types.str "";
      port = mkOption { type = types.port; };
      initialDatabases = option (types.listOf types.anything) [ ];
      settings = option (types.attrsOf types.anything) { };
    };
    redis = {
      enable = lib.mkEnableOption "Redis";
      package = mkOption { type = types.package; };
      bind = option (types.nullOr types.str) "127.0.0.1";
      port = mkOption { type = types.port; };
      extraConfig = option types.lines "locale-collate C";
    };
  };

  config = {
    processes.postgres = lib.mkIf postgres.enable {
      exec = lib.getExe' postgres.package "postgres";
      ports.main.allocate = postgres.port;
      ready = slow // {
        exec = "pg_isready";
      };
    };
    processes.redis = lib.mkIf redis.enable {
      exec = lib.getExe' redis.package "redis-server";
      ports.main.allocate = redis.port;
      ready = slow // {
        exec = "redis-cli ping";
      };
    };
    packages = lib.optional postgres.enable postgres.package ++ lib.optional redis.enable redis.package;
    env = lib.mkIf postgres.enable { PGDATA = "${config.devenv.state}/postgres"; };
  };
}
