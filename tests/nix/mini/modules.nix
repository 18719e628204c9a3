# The module system: imports, options, definitions with conditions, priorities and order, submodules.
#
# A definition is a value with what stands around it: { value; guards; priority; order; }. Guards are the conditions of
# `mkIf`; they are asked where an option takes its value, not before, because they depend on other options.
lib:
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elemAt
    filter
    foldl'
    functionArgs
    head
    isAttrs
    isFunction
    isPath
    isString
    sort
    ;

  showPath = builtins.concatStringsSep ".";

  plain = value: {
    inherit value;
    guards = [ ];
    priority = 100;
    order = 1000;
  };

  # Take the wrappers off a definition; `mkMerge` makes several of one.
  unwrap =
    definition:
    let
      inherit (definition) value;
      content = definition // {
        value = value.content;
      };
    in
    {
      condition = unwrap (content // { guards = definition.guards ++ [ value.condition ]; });
      override = unwrap (content // { inherit (value) priority; });
      order = unwrap (content // { order = value.priority; });
      merge = concatMap (one: unwrap (definition // { value = one; })) value.contents;
      none = [ definition ];
    }
    .${kindOf value};

  kindOf =
    value:
    let
      kind = value._type or "none";
    in
    if
      isAttrs value
      && builtins.elem kind [
        "condition"
        "override"
        "order"
        "merge"
      ]
    then
      kind
    else
      "none";

  applies = definition: all (guard: guard) definition.guards;

  # What definitions of a set say of one of its attributes.
  below =
    name: definitions:
    concatMap (
      definition:
      if definition.value ? ${name} then
        unwrap (definition // { value = definition.value.${name}; })
      else
        [ ]
    ) definitions;

  namesIn =
    definitions: attrNames (foldl' (names: definition: names // definition.value) { } definitions);

  # The definitions that count: conditions hold, and no other has a higher rank.
  strongest =
    definitions:
    let
      active = filter applies definitions;
      best = foldl' (least: one: if one.priority < least then one.priority else least) 9999 active;
    in
    sort (a: b: a.order < b.order) (filter (one: one.priority == best) active);

  # The value of an option, or of an element of one.
  merge =
    type: path: definitions:
    let
      counted = strongest definitions;
      wrong = filter (one: !type.check one.value) counted;
    in
    if wrong == [ ] then
      type.merge path counted
    else
      throw "the option ${showPath path} is to be ${type.name}, and is ${lib.display (head wrong).value}";

  optionValue =
    path: option: definitions:
    let
      withDefault = if option ? default then [ (plain option.default // { priority = 1500; }) ] else [ ];
      all = concatMap unwrap withDefault ++ definitions;
    in
    if filter applies all == [ ] then
      throw "the option ${showPath path} has no value and no default"
    else
      (option.apply or (value: value)) (merge option.type path all);

  tree =
    path: options: definitions:
    if options._type or "" == "option" then
      optionValue path options definitions
    else
      let
        unknown = filter (name: !(options ? ${name}) && builtins.any applies (below name definitions)) (
          namesIn definitions
        );
      in
      if unknown == [ ] then
        builtins.mapAttrs (name: inner: tree (path ++ [ name ]) inner (below name definitions)) options
      else
        throw "the option ${showPath (path ++ [ (head unknown) ])} does not exist";

  joinOptions =
    path: a: b:
    a
    // builtins.mapAttrs (
      name: added:
      if !(a ? ${name}) then
        added
      else if added._type or "" == "option" || a.${name}._type or "" == "option" then
        throw "the option ${showPath (path ++ [ name ])} is declared twice"
      else
        joinOptions (path ++ [ name ]) a.${name} added
    ) b;

  # Modules by the key under which they were found, those that they import first; a file counts once.
  collect =
    args:
    let
      call =
        module:
        if isFunction module then
          module (
            args
            // builtins.mapAttrs (name: _: args.${name} or (throw "nothing passes ${name} to modules")) (
              functionArgs module
            )
          )
        else
          module;
      load = item: if isPath item || isString item then call (import item) else call item;
      step =
        seen: item:
        let
          key = if isPath item || isString item then toString item else null;
          module = load item;
        in
        if key != null && builtins.elem key seen.keys then
          seen
        else
          let
            after = foldl' step (seen // { keys = seen.keys ++ (if key == null then [ ] else [ key ]); }) (
              module.imports or [ ]
            );
          in
          after // { modules = after.modules ++ [ (structured module) ]; };
    in
    items:
    (foldl' step {
      keys = [ ];
      modules = [ ];
    } items).modules;

  structured =
    module:
    let
      rest = removeAttrs module [
        "imports"
        "options"
        "config"
      ];
      isSplit = module ? options || module ? config;
    in
    if isSplit && rest != { } then
      throw "a module has ${showPath (attrNames rest)} beside its options and config"
    else
      {
        options = module.options or { };
        config = if isSplit then module.config or { } else rest;
      };

  evalModules =
    {
      modules,
      specialArgs ? { },
      path ? [ ],
      definitions ? [ ],
    }:
    let
      args = specialArgs // {
        inherit lib config options;
      };
      found = collect args modules;
      options = foldl' (joinOptions path) { } (map (module: module.options) found);
      config = tree path options (concatMap (module: unwrap (plain module.config)) found ++ definitions);
    in
    {
      inherit config options;
    };
in
{
  inherit evalModules;
  forTypes = {
    inherit
      below
      namesIn
      applies
      merge
      evalModules
      showPath
      ;
    nameAt = path: elemAt path (builtins.length path - 1);
  };
}
