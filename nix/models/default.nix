# A read-only models folder for Ollama, from pinned digests: a fixed-output derivation per blob, the manifests byte
# for byte as the registry has them.
#
# Blobs come from the registry that the lock names, or from `source`: another registry's address, a mirror in a
# folder (`file:///mnt/mirror`, with a registry's paths below it), or a folder of blobs that were downloaded already
# (an Ollama's `models`, named by RAGBED_BLOBS). Whatever the source, a blob has the same store path, because that
# depends on its name and digest alone.
#
# Files of this machine are added to the store while this is evaluated: a builder's sandbox would not see them. For
# that, evaluation has to be impure (`nix build --impure`).
{
  fetchurl,
  linkFarm,
  source ? "",
}:
let
  isFolder = builtins.substring 0 1 source == "/" || builtins.substring 0 7 source == "file://";
  folder = builtins.replaceStrings [ "file://" ] [ "" ] source;

  hexOf = part: builtins.replaceStrings [ "sha256:" ] [ "" ] part.digest;
  blobPath = model: part: "/v2/${model.repository}/blobs/${part.digest}";
  nameOf = part: "ollama-blob-${builtins.substring 0 12 (hexOf part)}";

  # Where a blob may lie in a folder: in a mirror, in an Ollama's models folder, or in its `blobs`.
  places = model: part: [
    (folder + blobPath model part)
    "${folder}/blobs/sha256-${hexOf part}"
    "${folder}/sha256-${hexOf part}"
  ];

  inFolder =
    model: part:
    let
      found = builtins.filter builtins.pathExists (places model part);
    in
    if found == [ ] then
      throw "${source} has no blob ${part.digest} of ${model.fullName}; it may lie at ${builtins.head (places model part)}"
    else
      builtins.path {
        path = builtins.head found;
        name = nameOf part;
        recursive = false;
        sha256 = hexOf part;
      };

  fetched =
    model: part:
    let
      registry = if source == "" || isFolder then "https://${model.registry}" else source;
    in
    fetchurl {
      name = nameOf part;
      url = registry + blobPath model part;
      sha256 = hexOf part;
    };

  # Adding the file gives the very path that the derivation would make, so that nothing is left to fetch.
  blob =
    model: part:
    if isFolder then builtins.seq (inFolder model part) (fetched model part) else fetched model part;

  entriesOf =
    manifest: model:
    [
      {
        name = "manifests/${model.registry}/${model.repository}/${model.tag}";
        path = builtins.toFile "manifest-${builtins.substring 7 12 model.digest}" (
          manifest.encode model.manifest
        );
      }
    ]
    ++ map (part: {
      name = "blobs/sha256-${hexOf part}";
      path = blob model part;
    }) ([ model.manifest.config ] ++ model.manifest.layers);

  # Models share blobs (licences, templates): each is linked once.
  unique =
    entries:
    builtins.attrValues (
      builtins.listToAttrs (
        map (entry: {
          inherit (entry) name;
          value = entry;
        }) entries
      )
    );
in
{
  # The folder of some models, as `ragbed.models.get` and `ragbed.models.set` give them.
  store =
    {
      manifest,
      models,
      name ? "ollama-models",
    }:
    linkFarm name (unique (builtins.concatMap (entriesOf manifest) models));

  inherit blob;
}
