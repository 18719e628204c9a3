# How a project's own pins combine with ragbed's: key by key, theirs before ours, and no key that ours do not have.
#
# Python merges the same way. A table for which `isEntry` holds is taken whole: its keys belong together, as an image's
# digest belongs to its reference.
{
  shown, # the project's file, as a refusal names it
  isEntry, # path -> bool
  isOpen ? (_: false), # path -> bool: any name may be added below it
}:
let
  inherit (builtins) attrNames isAttrs typeOf;
  at = builtins.concatStringsSep ".";
  kind =
    value:
    {
      int = "a number";
      float = "a number";
      string = "a string";
      set = "a table";
      list = "a list";
      bool = "true or false";
    }
    .${typeOf value} or (typeOf value);

  refuse = path: problem: throw "${shown} is wrong: ${at path}: ${problem}";

  known =
    path: ours: name:
    ours ? ${name}
    || isOpen path
    || refuse (path ++ [ name ]) "found an unknown key, expected one of ${
      builtins.concatStringsSep ", " (attrNames ours)
    }";

  merge =
    path: ours: theirs:
    if kind ours != kind theirs then
      refuse path "found ${kind theirs}, expected ${kind ours}"
    else if !(isAttrs theirs) || isEntry path then
      theirs
    else
      ours
      // builtins.mapAttrs (
        name: value:
        if known path ours name && ours ? ${name} then
          merge (path ++ [ name ]) ours.${name} value
        else
          value
      ) theirs;
in
{
  inherit refuse;
  # Looked at whole: a wrong key is refused whatever is asked for.
  merged =
    ours: theirs:
    let
      value = merge [ ] ours theirs;
    in
    builtins.deepSeq value value;
}
