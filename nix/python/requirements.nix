# The part of `requirements.lock` that the package ragbed needs: no test tools, and no wheels with servers inside.
#
# Roots are what `pyproject.toml` names as dependencies and as build system; the lock's own `# via` comments lead to the
# rest. Needs no input: `nix eval --file nix/python/requirements.nix names`.
{
  lockFile ? ../../requirements.lock,
  projectFile ? ../../pyproject.toml,
}:
let
  project = builtins.fromTOML (builtins.readFile projectFile);
  lines = builtins.filter builtins.isString (builtins.split "\n" (builtins.readFile lockFile));

  nameIn = spec: builtins.head (builtins.match "([A-Za-z0-9._-]+).*" spec);
  roots = map nameIn (project.project.dependencies ++ project.build-system.requires);

  # `name==version \`, its hashes, then who wants it: `# via one`, or a line `#   one` each.
  isHead = line: builtins.match "[a-z0-9].*==.*" line != null;
  isComment = line: builtins.match " *#.*" line != null;
  wanters = found: if found == null then [ ] else [ (builtins.elemAt found 1) ];
  via = line: builtins.match " *# (via|  ) ?([a-z0-9._-]+).*" line;

  add =
    blocks: line:
    if isHead line then
      blocks
      ++ [
        {
          key = nameIn line;
          lines = [ line ];
          wantedBy = [ ];
        }
      ]
    else
      let
        last = builtins.elemAt blocks (builtins.length blocks - 1);
        rest = builtins.genList (builtins.elemAt blocks) (builtins.length blocks - 1);
        found = via line;
      in
      if blocks == [ ] || line == "" then
        blocks
      else if isComment line then
        rest ++ [ (last // { wantedBy = last.wantedBy ++ wanters found; }) ]
      else
        rest ++ [ (last // { lines = last.lines ++ [ line ]; }) ];

  blocks = builtins.foldl' add [ ] lines;

  needs = name: builtins.filter (one: builtins.elem name one.wantedBy) blocks;
  wanted = map (one: one.key) (
    builtins.genericClosure {
      startSet = map (key: { inherit key; }) roots;
      operator = { key }: map (one: { inherit (one) key; }) (needs key);
    }
  );
  kept = builtins.filter (one: builtins.elem one.key wanted) blocks;

  unlocked = builtins.filter (root: !builtins.any (one: one.key == root) blocks) roots;
in
if unlocked != [ ] then
  throw "${baseNameOf (toString lockFile)} has no ${builtins.concatStringsSep " and no " unlocked}; try: scripts/lock"
else
  rec {
    text = builtins.concatStringsSep "\n" (builtins.concatMap (one: one.lines) kept) + "\n";
    sha256 = builtins.hashString "sha256" text;
    names = map (one: one.key) kept;
  }
