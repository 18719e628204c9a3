# The addresses that nobody but this machine can reach.
let
  addresses = [
    "127.0.0.1"
    "::1"
    "localhost"
  ];
in
{
  is = host: builtins.elem host addresses;
  shown = builtins.concatStringsSep ", " addresses;
  inUrl = host: if builtins.match ".*:.*" host == null then host else "[${host}]";
}
