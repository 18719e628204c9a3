# The bytes of a model's manifest, exactly as a registry has them: a model's digest is their SHA-256.
#
# `builtins.toJSON` sorts keys and a registry does not, so the order is written out here.
let
  text = builtins.toJSON;

  part =
    p:
    let
      from = if p ? from then ",\"from\":${text p.from}" else "";
    in
    ''{"mediaType":${text p.mediaType},"digest":${text p.digest},"size":${toString p.size}${from}}'';

  encode =
    {
      config,
      layers,
      newline ? false,
    }:
    ''{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",''
    + ''"config":${part config},"layers":[${builtins.concatStringsSep "," (map part layers)}]}''
    + (if newline then "\n" else "");
in
{
  inherit encode;

  digest = manifest: "sha256:${builtins.hashString "sha256" (encode manifest)}";
}
