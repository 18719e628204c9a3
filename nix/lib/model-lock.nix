# The models of a `models.lock.json`, each digest recomputed from its parts while this is evaluated.
#
# A project's own lock with `default`, `sets` and `models` counts alone; one that lacks any of them is a part, and is
# merged over ours. A model is an entry, taken whole. Python reads a lock by the same rule.
{ manifest }:
lockFile:
let
  ours = ../../models.lock.json;
  path = if lockFile == null then ours else lockFile;
  shown = baseNameOf (toString path);
  read =
    file:
    builtins.addErrorContext "while reading ${toString file}" (
      builtins.fromJSON (builtins.readFile file)
    );
  below =
    names: path: builtins.length path > 0 && builtins.elem (builtins.head path) names;
  inherit
    (import ./merge.nix {
      inherit shown;
      isEntry = path: below [ "models" ] path && builtins.length path == 2;
      isOpen = below [
        "models"
        "sets"
      ];
    })
    merged
    refuse
    ;
  own = read ours;
  theirs = if lockFile == null then { } else read lockFile;
  isWhole = theirs ? default && theirs ? sets && theirs ? models;
  # What a whole lock is laid over: it completes nothing, and shows which keys there are and what they hold.
  nothing = {
    schema = 1;
    default = "";
    sets = { };
    models = { };
  };
  file =
    if isWhole && !(theirs ? schema) then
      refuse [ "schema" ] "found nothing, expected a value"
    else if theirs.schema or 1 == 1 then
      merged (if isWhole then nothing else own) theirs
    else
      throw "${shown}: schema is ${builtins.toJSON theirs.schema}, and this ragbed reads schema 1";
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
      lacking = builtins.filter (part: !(entry ? ${part})) [
        "registry"
        "name"
        "tag"
        "purpose"
        "digest"
        "manifest"
      ];
      computed = manifest.digest entry.manifest;
    in
    if lacking != [ ] then
      refuse [ "models" key (builtins.head lacking) ] "found nothing, expected a value"
    else if computed == entry.digest then
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
  inherit path;
  inherit (file) default sets;
  names = names file.models;
  has = name: file.models ? ${withTag name};
  all = map get (names file.models);
}
