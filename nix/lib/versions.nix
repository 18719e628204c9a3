# Whether a version lies in a range like ">=1.18,<1.21": what `stack.toml` accepts, judged as Python judges it.
let
  compare = {
    ">=" = order: order >= 0;
    ">" = order: order > 0;
    "<=" = order: order <= 0;
    "<" = order: order < 0;
    "==" = order: order == 0;
  };

  # What a version would be if it ended in zeros: "8" and "8.0" are one version.
  parts = version: builtins.filter builtins.isString (builtins.split "\\." version);
  at = list: index: if index < builtins.length list then builtins.elemAt list index else "0";
  padded = list: length: builtins.concatStringsSep "." (builtins.genList (at list) length);
  order =
    a: b:
    let
      length = builtins.length (parts a ++ parts b);
    in
    builtins.compareVersions (padded (parts a) length) (padded (parts b) length);

  split = builtins.match " *(>=|<=|==|>|<) *([0-9][0-9.]*) *";
  clauses = range: builtins.filter builtins.isString (builtins.split "," range);

  meets =
    version: clause:
    let
      found = split clause;
    in
    if found == null then
      throw "${clause} is no range of versions"
    else
      compare.${builtins.head found} (order version (builtins.elemAt found 1));

  inRange = range: version: builtins.all (meets version) (clauses range);
in
{
  inherit inRange;

  isRange =
    range: builtins.isString range && builtins.all (clause: split clause != null) (clauses range);

  # `accept` is the range of each product that may answer. A package of a product that is named there is judged by that
  # range alone: Valkey is Valkey, under whatever name it starts. Any other one by all of them.
  accepts =
    accept: product: version:
    builtins.any (range: inRange range version) (
      if accept ? ${product} then [ accept.${product} ] else builtins.attrValues accept
    );
}
