# Postgres and Redis of the bed: devenv's own services, set as ragbed pins them, and asked whether they are ours.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkDefault;
  bed = config.services.ragbed;
  ragbed = import ../lib { inherit (bed) stackFile accept; };
  readiness = import ./readiness.nix { inherit config lib pkgs; };
  loopback = import ./loopback.nix { inherit lib; };
  inherit (config.services) postgres redis;
  pins = ragbed.services;

  database = "ragbed"; # the local one, its user and its password
  q = lib.escapeShellArg;
  hostOf = {
    postgres = loopback.reached postgres.listen_addresses;
    redis = loopback.reached (if redis.bind == null then "0.0.0.0" else redis.bind);
  };
  portOf = service: toString config.processes.${service}.ports.main.value;

  # Each store names the folder of its files, which is proof enough: no other server can use them beside it.
  ask = {
    postgres = readiness.script "postgres-is-ready" ''
      # initdb takes the time that it takes; the server's own begins after it. One that answers meanwhile is not ours.
      until [ -e "$PGDATA/.devenv_initialized" ] || (exec 3<>/dev/tcp/${hostOf.postgres}/${portOf "postgres"}) 2>/dev/null; do
        [ "$SECONDS" -lt 55 ] || { echo "postgres: its files are not made yet" >&2 && exit 1; }
        sleep 0.2
      done
      files=$(PGCONNECT_TIMEOUT=3 psql --no-password --no-psqlrc --host=${q hostOf.postgres} --port=${portOf "postgres"} \
        --dbname=template1 --no-align --tuples-only --command='SHOW data_directory' 2>&1) ||
        { echo "postgres: the server on port ${portOf "postgres"} does not let us in: $files" >&2 && exit 1; }
      ${files "postgres" "$PGDATA"}
    '';
    redis = readiness.script "redis-is-ready" ''
      files=$(timeout 3 redis-cli -h ${q hostOf.redis} -p ${portOf "redis"} config get dir 2>&1 | tail -n 1)
      ${files "redis" "$REDISDATA"}
    '';
  };
  files = service: ours: ''
    if [ "$(realpath -m -- "$files")" != "$(realpath -m -- "${ours}")" ]; then
      echo "${service}: the ${service} that answers on port ${portOf service} is not the one of this project: it says $files, and ours are in ${ours}" >&2
      exit 1
    fi'';

  # Lines of redis.conf that would take Redis away from where its clients look for it, or that are overruled.
  taken = builtins.filter (word: lib.any (line: startsWith word line) (lib.splitString "\n" redis.extraConfig)) [
    "port"
    "bind"
    "dir"
    "daemonize"
    "requirepass"
    "unixsocket"
    "tls-port"
    "rename-command"
  ];
  startsWith = word: line: builtins.match "[ \t]*${word}[ \t].*" line != null;

  overruled = builtins.filter (name: postgres.settings ? ${name}) [
    "data_directory"
    "hba_file"
  ];
in
{
  config = lib.mkIf bed.enable (
    lib.mkMerge [
      {
        env = lib.mkMerge [
          (lib.mkIf (bed.urls.postgres != null) { DATABASE_URL = bed.urls.postgres; })
          (lib.mkIf (bed.urls.redis != null) { REDIS_URL = bed.urls.redis; })
        ];
        services = {
          postgres = {
            enable = mkDefault (bed.urls.postgres == null);
            package = mkDefault pkgs.${pins.postgres.attribute};
            extensions = mkDefault (extensions: [ extensions.pgvector ]);
            listen_addresses = mkDefault "127.0.0.1";
            port = mkDefault (pins.postgres.port + bed.portOffset);
            initialDatabases = [
              {
                name = database;
                user = database;
                pass = database;
                initialSQL = "CREATE EXTENSION IF NOT EXISTS vector;";
              }
            ];
          };
          redis = {
            enable = mkDefault (bed.urls.redis == null);
            package = mkDefault pkgs.${pins.redis.attribute};
            bind = mkDefault "127.0.0.1";
            port = mkDefault (pins.redis.port + bed.portOffset);
          };
        };
      }
      (lib.mkIf postgres.enable {
        assertions = [
          (loopback.assertion bed.exposed "postgres" "services.postgres.listen_addresses" postgres.listen_addresses)
          {
            assertion = overruled == [ ];
            message = ''
              services.postgres.settings sets ${lib.concatStringsSep ", " overruled}, and devenv keeps Postgres' files in its state.
              Leave it out of services.postgres.settings; services.postgres.hbaConf is for pg_hba.conf.'';
          }
        ];
        env.DATABASE_URL = "postgresql://${database}:${database}@${loopback.inUrl postgres.listen_addresses}:${portOf "postgres"}/${database}";
        processes.postgres = lib.mkIf (postgres.listen_addresses != "") (
          readiness.process {
            name = "postgres";
            seconds = pins.postgres.readyTimeout;
            timeout = 60;
            ask = ask.postgres;
            host = hostOf.postgres;
            port = portOf "postgres";
            option = "services.postgres.port";
          }
        );
      })
      (lib.mkIf redis.enable {
        assertions = [
          (loopback.assertion bed.exposed "redis" "services.redis.bind" (
            if redis.bind == null then "0.0.0.0" else redis.bind
          ))
          {
            assertion = redis.port != 0;
            message = ''
              services.redis.port is 0, which leaves a socket only, and REDIS_URL names a port.
              Set services.redis.port to a free one.'';
          }
          {
            assertion = taken == [ ];
            message = ''
              services.redis.extraConfig sets ${lib.concatStringsSep ", " taken}, which REDIS_URL and devenv know nothing of.
              Set services.redis.port and services.redis.bind instead; the files are in devenv's state.'';
          }
        ];
        env.REDIS_URL = "redis://${loopback.inUrl hostOf.redis}:${portOf "redis"}/0";
        processes.redis = lib.mkIf (redis.port != 0) (
          readiness.process {
            name = "redis";
            seconds = pins.redis.readyTimeout;
            ask = ask.redis;
            host = hostOf.redis;
            port = portOf "redis";
            option = "services.redis.port";
          }
        );
      })
    ]
  );
}
