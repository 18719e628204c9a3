# Qdrant as a service of devenv: `services.qdrant.enable = true`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  ragbed = import ../lib { };
  pin = ragbed.services.qdrant;
  cfg = config.services.qdrant;
  port = config.processes.qdrant.ports.http.value;
  grpcPort = config.processes.qdrant.ports.grpc.value;
  loopback = import ./loopback.nix { inherit lib; };
  readiness = import ./readiness.nix;
  format = pkgs.formats.yaml { };

  # Variables win over the configuration file, so what keeps Qdrant here and quiet is said in variables: a stray one in
  # the caller's shell cannot open it to the network.
  variables = {
    QDRANT__SERVICE__HOST = cfg.host;
    QDRANT__SERVICE__HTTP_PORT = toString port;
    QDRANT__SERVICE__GRPC_PORT = toString grpcPort;
    QDRANT__TELEMETRY_DISABLED = "true";
    QDRANT__STORAGE__STORAGE_PATH = "./storage";
    QDRANT__STORAGE__SNAPSHOTS_PATH = "./snapshots";
    QDRANT_INIT_FILE_PATH = "./.qdrant-initialized";
    SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
  };

  start = pkgs.writeShellScript "start-qdrant" ''
    set -euo pipefail
    mkdir -p "$DEVENV_STATE/qdrant"
    cd "$DEVENV_STATE/qdrant" # relative paths of the variables begin here
    if (exec 3<>"/dev/tcp/${cfg.host}/${toString port}") 2>/dev/null; then
      echo "qdrant: port ${toString port} is taken by something else; stop it, or set services.qdrant.httpPort" >&2
      exit 1
    fi
    echo $$ >pid
    exec ${lib.getExe' cfg.package "qdrant"} --config-path ${format.generate "qdrant.yaml" cfg.settings}
  '';
in
{
  options.services.qdrant = {
    enable = lib.mkEnableOption "Qdrant, a vector database";

    package = mkOption {
      type = types.package;
      default = pkgs.${pin.attribute};
      defaultText = lib.literalMD "the attribute that `stack.toml` names";
      example = lib.literalExpression "pkgs.qdrant";
      description = "The package with `bin/qdrant`.";
    };

    host = loopback.option;

    httpPort = mkOption {
      type = types.port;
      default = pin.port;
      defaultText = lib.literalMD "the port in `stack.toml`";
      example = 16333;
      description = "The port of the REST API.";
    };

    grpcPort = mkOption {
      type = types.port;
      default = cfg.httpPort + 1;
      defaultText = lib.literalMD "the port after `httpPort`";
      example = 16334;
      description = "The port of the gRPC API.";
    };

    webUI = {
      enable = lib.mkEnableOption "Qdrant's web interface at `/dashboard`";

      package = mkOption {
        type = types.package;
        default = pkgs.qdrant-web-ui;
        defaultText = lib.literalExpression "pkgs.qdrant-web-ui";
        example = lib.literalExpression "pkgs.qdrant-web-ui";
        description = "The package that is the folder of the web interface's files.";
      };
    };

    settings = mkOption {
      type = format.type;
      default = { };
      example = {
        storage.performance.max_search_threads = 2;
      };
      description = "The rest of Qdrant's configuration, as its `config.yaml` has it.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      (loopback.assertion "qdrant" cfg.host)
      {
        assertion = cfg.grpcPort != cfg.httpPort;
        message = ''
          services.qdrant.grpcPort and services.qdrant.httpPort are both ${toString cfg.httpPort}.
          Set services.qdrant.grpcPort to another one.'';
      }
      {
        assertion =
          !(
            cfg.settings ? service.http_port || cfg.settings ? service.grpc_port || cfg.settings ? service.host
          );
        message = ''
          services.qdrant.settings.service sets an address, which services.qdrant.host, httpPort and grpcPort would overrule.
          Set those instead.'';
      }
    ];

    services.qdrant.settings = {
      log_level = lib.mkDefault "INFO";
      service =
        if cfg.webUI.enable then
          {
            enable_static_content = true;
            static_content_dir = "${cfg.webUI.package}";
          }
        else
          { enable_static_content = false; };
    };

    packages = [ cfg.package ];

    env.QDRANT_URL = "http://${loopback.inUrl cfg.host}:${toString port}";

    processes.qdrant = {
      exec = "exec ${start}";
      env = variables;
      ports = {
        http.allocate = cfg.httpPort;
        grpc.allocate = cfg.grpcPort;
      };
      # /readyz answers once every shard is loaded; /healthz would only say that the process lives
      ready = readiness.eachSecond pin.readyTimeout // {
        http.get = {
          host = loopback.inUrl cfg.host; # process-compose puts it into a URL as it is
          inherit port;
          path = "/readyz";
        };
      };
      process-compose = readiness.compose;
    };
  };
}
