# Services of this machine alone: the option `host`, and the refusal of an address that others can reach.
{ lib }:
let
  # Numbers and no names: Qdrant parses one.
  addresses = [
    "127.0.0.1"
    "::1"
  ];
in
{
  option = lib.mkOption {
    type = lib.types.str;
    default = builtins.head addresses;
    example = "::1";
    description = "The loopback address to listen on.";
  };

  assertion = service: host: {
    assertion = builtins.elem host addresses;
    message = ''
      services.${service}.host is ${host}, which others may reach; it has no password.
      Set it to ${lib.concatStringsSep " or " addresses}, and put a proxy before it where others are to come in.'';
  };

  inUrl = host: if builtins.match ".*:.*" host == null then host else "[${host}]";
}
