# Qdrant as a service of devenv: `services.qdrant.enable = true`, and more of them under `services.qdrant.instances`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  bed = config.services.ragbed;
  ragbed = import ../lib { inherit (bed) stackFile accept; };
  pin = ragbed.services.qdrant;
  top = config.services.qdrant;
  loopback = import ./loopback.nix { inherit lib; };
  readiness = import ./readiness.nix { inherit config lib pkgs; };
  instances = import ./instances.nix { inherit lib; } "qdrant" top;
  format = pkgs.formats.yaml { };

  portOf = one: kind: config.processes.${one.process}.ports.${kind}.value;
  urlOf = one: "http://${loopback.inUrl one.cfg.host}:${toString (portOf one "http")}";

  # Variables win over the configuration file, so what keeps Qdrant here and quiet is said in variables: a stray one in
  # the caller's shell cannot open it to the network.
  variables = one: {
    QDRANT__SERVICE__HOST = one.cfg.host;
    QDRANT__SERVICE__HTTP_PORT = toString (portOf one "http");
    QDRANT__SERVICE__GRPC_PORT = toString (portOf one "grpc");
    QDRANT__TELEMETRY_DISABLED = "true";
    QDRANT__STORAGE__STORAGE_PATH = "./storage";
    QDRANT__STORAGE__SNAPSHOTS_PATH = "./snapshots";
    QDRANT_INIT_FILE_PATH = "./.qdrant-initialized";
    SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
  };

  # Settings that a variable above, or an option, would overrule: where to say them instead.
  overruled = settings: {
    "service.host" = settings ? service.host;
    "service.http_port" = settings ? service.http_port;
    "service.grpc_port" = settings ? service.grpc_port;
    "service.enable_tls" = settings.service.enable_tls or false;
    "storage.storage_path" = settings ? storage.storage_path;
    "storage.snapshots_path" = settings ? storage.snapshots_path;
    telemetry_disabled = settings ? telemetry_disabled;
  };

  settingsOf =
    cfg:
    lib.recursiveUpdate {
      log_level = "INFO";
      service = {
        enable_static_content = cfg.webUI.enable;
      }
      // lib.optionalAttrs cfg.webUI.enable { static_content_dir = "${cfg.webUI.package}"; };
    } cfg.settings;

  start =
    one:
    readiness.script "start-${one.process}" ''
      ${readiness.begin one.cfg.dataDir}
      exec ${lib.getExe' one.cfg.package "qdrant"} --config-path ${
        format.generate "${one.process}.yaml" (settingsOf one.cfg)
      } ${lib.escapeShellArgs one.cfg.extraArgs}
    '';

  # /readyz answers once every shard is loaded; /healthz would only say that the process lives
  ask =
    one:
    readiness.probe {
      service = one.process;
      folder = one.cfg.dataDir;
      host = loopback.reached one.cfg.host;
      port = portOf one "http";
      ask = ''
        curl --noproxy '*' --silent --fail --max-time 3 --output answer "${urlOf one}/readyz" ||
          say "${one.process}: /readyz does not say that all shards are ready: $(head -c 200 answer 2>/dev/null)"
      '';
    };

  optionsOf =
    {
      self,
      folder,
      port,
    }:
    {
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
        default = port + bed.portOffset;
        defaultText = lib.literalMD "the port in `stack.toml`, ten more for a further instance, and `services.ragbed.portOffset`";
        example = 16333;
        description = "The port of the REST API.";
      };

      grpcPort = mkOption {
        type = types.port;
        default = self.httpPort + 1;
        defaultText = lib.literalMD "the port after `httpPort`";
        example = 16334;
        description = "The port of the gRPC API.";
      };

      dataDir = mkOption {
        type = types.str;
        default = "${config.devenv.state}/${folder}";
        defaultText = lib.literalMD "a folder in devenv's state";
        example = "/var/tmp/qdrant";
        description = "The folder of collections, snapshots and the pid.";
      };

      extraArgs = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "--force-snapshot" ];
        description = "Further words of the command line.";
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

  assertionsOf =
    one:
    let
      wrong = builtins.attrNames (lib.filterAttrs (_: is: is) (overruled one.cfg.settings));
    in
    [
      (loopback.assertion bed.exposed "qdrant" "${one.option}.host" one.cfg.host)
      {
        assertion = one.cfg.grpcPort != one.cfg.httpPort;
        message = ''
          ${one.option}.grpcPort and ${one.option}.httpPort are both ${toString one.cfg.httpPort}.
          Set ${one.option}.grpcPort to another one.'';
      }
      {
        assertion = wrong == [ ];
        message = ''
          ${one.option}.settings sets ${lib.concatStringsSep ", " wrong}, which the options of ${one.option} would overrule.
          Set ${one.option}.host, httpPort, grpcPort or dataDir instead; telemetry and TLS are off.'';
      }
    ];
in
{
  imports = [ ./project.nix ];

  options.services.qdrant =
    optionsOf {
      self = top;
      folder = "qdrant";
      inherit (pin) port;
    }
    // {
      enable = lib.mkEnableOption "Qdrant, a vector database";
      instances = instances.option (
        { name, self }:
        optionsOf {
          inherit self;
          folder = "qdrant-${name}";
          port = pin.port + 10;
        }
      ) { httpPort = 16343; };
    };

  config = lib.mkIf (instances.all != [ ]) {
    assertions = builtins.concatMap assertionsOf instances.all;

    packages = lib.unique (map (one: one.cfg.package) instances.all);

    env = instances.each (one: {
      ${one.variable "QDRANT" "URL"} = urlOf one;
    });

    processes = instances.each (one: {
      ${one.process} = lib.mkMerge [
        {
          exec = "exec ${start one}";
          env = variables one;
          ports = {
            http.allocate = one.cfg.httpPort;
            grpc.allocate = one.cfg.grpcPort;
          };
        }
        (readiness.process {
          name = one.process;
          seconds = pin.readyTimeout;
          ask = ask one;
          host = loopback.reached one.cfg.host;
          port = portOf one "http";
          option = "${one.option}.httpPort";
        })
      ];
    });
  };
}
