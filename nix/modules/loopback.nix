# Services of this machine alone: the option `host`, and the refusal of an address that others can reach.
{ lib }:
let
  # Numbers and no names: Qdrant parses one.
  addresses = [
    "127.0.0.1"
    "::1"
  ];
  # Where a server that listens everywhere is asked from this machine.
  everywhere = {
    "0.0.0.0" = "127.0.0.1";
    "::" = "::1";
  };
in
rec {
  option = lib.mkOption {
    type = lib.types.str;
    default = builtins.head addresses;
    example = "::1";
    description = "The address to listen on: of loopback, unless `services.ragbed.exposed` names the service.";
  };

  assertion = exposed: service: option: host: {
    assertion = builtins.elem service exposed || builtins.elem host addresses;
    message = ''
      ${option} is ${if host == "" then "empty" else host}, which ${
        if host == "" then "leaves a socket only" else "others may reach; it has no password"
      }.
      Set it to ${lib.concatStringsSep " or " addresses}. Where others are to come in, put a proxy before it, or name "${service}" in services.ragbed.exposed.'';
  };

  # The address to call a server at that listens on `host`.
  reached = host: everywhere.${host} or host;

  inUrl =
    host: if builtins.match ".*:.*" host == null then reached host else "[${reached host}]";
}
