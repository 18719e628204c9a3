# How readiness is asked: first whether the server that answers is this project's, then whether it answers; at once,
# each second, until the time that the pin gives is over.
{
  config,
  lib,
  pkgs,
}:
let
  path = lib.makeBinPath [
    pkgs.lsof
    pkgs.coreutils
    pkgs.gnused
    pkgs.gnugrep
    pkgs.curl
    pkgs.jq
  ];
  askEach = 4;
  words = lib.escapeShellArgs;
in
rec {
  # A script that finds these tools, whatever the shell around it has.
  script =
    name: text:
    pkgs.writeShellScript name ''
      set -euo pipefail
      PATH=${path}:$PATH
      ${text}'';

  whosePort = script "whose-port" (builtins.readFile ./whose-port.sh);

  # Seconds that a server has from its start until it answers; a single answer may take four.
  within =
    seconds:
    lib.mapAttrs (_: lib.mkForce) {
      initial_delay = 0;
      period = 1;
      probe_timeout = askEach;
      failure_threshold = seconds;
    };

  # What both process managers make of it. A service past its limit is ended, and started again: `on_failure` would
  # not see that, because devenv-tasks ends with 0 when it is told to. Under process-compose a port that is taken ends
  # the start at once; devenv's own manager takes the next free port by itself.
  process =
    {
      name,
      seconds,
      ask,
      timeout ? askEach,
      host,
      port,
      option,
    }:
    {
      ready = within seconds // {
        exec = lib.mkForce "${ask}";
        probe_timeout = lib.mkForce timeout;
      };
      restart.on = "always";
      process-compose = {
        command = "${whosePort} free ${
          words [
            name
            host
            (toString port)
            option
          ]
        } && ${config.process.taskCommands.${name} or config.processes.${name}.exec}";
        # devenv does not hand the time for a single answer to process-compose, whose own is one second
        readiness_probe.timeout_seconds = timeout;
      };
    };

  # The start of a server's script: its pid is written, and what the probe says of it comes into its own log.
  begin = folder: ''
    mkdir -p ${words [ folder ]}
    cd ${words [ folder ]}
    : >not-ready
    tail --pid=$$ -n +1 -F not-ready >&2 2>/dev/null &
    echo $$ >pid
  '';

  # A probe of a server that `begin` started: `say WORDS` is the reason, told once as long as it stays the same. Where
  # something comes before the server, `patience` is how many seconds a probe waits for its start: they do not count.
  probe =
    {
      service,
      folder,
      host,
      port,
      ask,
      patience ? 0,
    }:
    script "${service}-is-ready" ''
      mkdir -p ${words [ folder ]}
      cd ${words [ folder ]}
      until kill -0 "$(cat pid)" || [ "$SECONDS" -ge ${toString patience} ]; do sleep 0.2; done 2>/dev/null
      say() {
        [ "$(tail -n 1 not-ready)" = "$1" ] || echo "$1" >>not-ready
        echo "$1" >&2
        exit 1
      }
      reason=$(${whosePort} ours ${
        words [
          service
          host
          (toString port)
        ]
      } pid 2>&1) || say "$reason"
      ${ask}'';
}
