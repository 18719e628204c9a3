# The models of a `models.lock.json`, each digest recomputed from its parts while this is evaluated.
{ manifest }:
lockFile:
let
  file = builtins.fromJSON (builtins.readFile lockFile);
  shown = baseNameOf (toString lockFile);
  names = builtins.attrNames;
  listed = builtins.concatStringsSep ", ";

  withTag = name: if builtins.match ".*:.*" name == null then "${name}:latest" else name;

  # A model of the lock, proven to be what its digest says.
  get =
    name:
    let
      key = withTag name;
      entry =
        file.models.${key}
          or (throw "${shown} pins no model ${key}; it has: ${listed (names file.models)}");
      computed = manifest.digest entry.manifest;
    in
    if computed == entry.digest then
      entry
      // {
        fullName = key;
        repository =
          if builtins.match ".*/.*" entry.name == null then "library/${entry.name}" else entry.name;
      }
    else
      throw "${shown}: models.${key}.digest is ${entry.digest}, and its manifest's parts give ${computed}";

  set =
    name:
    map get (
      file.sets.${name} or (throw "${shown} has no set ${name}; it has: ${listed (names file.sets)}")
    );
in
{
  inherit get set withTag;
  path = lockFile;
  inherit (file) default sets;
  names = names file.models;
  has = name: file.models ? ${withTag name};
  all = map get (names file.models);
}
