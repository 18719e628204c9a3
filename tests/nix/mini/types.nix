# Types of options: a name, what one value must be, and how several definitions become one.
lib:
let
  inherit (builtins)
    all
    concatStringsSep
    filter
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    listToAttrs
    match
    ;
  inherit (lib.forTypes)
    below
    namesIn
    applies
    merge
    evalModules
    showPath
    nameAt
    ;

  values = map (definition: definition.value);
  isPackage = value: isAttrs value && value.type or "" == "derivation";

  onlyOne =
    path: definitions:
    let
      found = values definitions;
    in
    if all (value: value == head found) found then
      head found
    else
      throw "the option ${showPath path} is told different things: ${concatStringsSep " and " (map lib.display found)}";

  scalar = name: check: {
    inherit name check;
    merge = onlyOne;
  };
  joined = name: separator: {
    inherit name;
    check = isString;
    merge = _: definitions: concatStringsSep separator (values definitions);
  };
  within =
    low: high:
    scalar "a whole number from ${toString low} to ${toString high}" (
      value: isInt value && value >= low && value <= high
    );

  attrsOf = element: {
    name = "a set of ${element.name}";
    check = value: isAttrs value && !(isPackage value);
    merge =
      path: definitions:
      let
        names = filter (name: builtins.any applies (below name definitions)) (namesIn definitions);
      in
      listToAttrs (
        map (name: {
          inherit name;
          value = merge element (path ++ [ name ]) (below name definitions);
        }) names
      );
  };

  listOf = element: {
    name = "a list of ${element.name}";
    check = value: isList value && all element.check value;
    merge = _: definitions: builtins.concatLists (values definitions);
  };

  anything = {
    name = "anything";
    check = _: true;
    merge =
      path: definitions:
      if all (value: isAttrs value && !(isPackage value)) (values definitions) then
        (attrsOf anything).merge path definitions
      else if all isList (values definitions) then
        builtins.concatLists (values definitions)
      else
        onlyOne path definitions;
  };

  submodule = modules: {
    name = "a submodule";
    check = isAttrs;
    merge =
      path: definitions:
      (evalModules {
        inherit path definitions;
        modules = if isList modules then modules else [ modules ];
        specialArgs.name = nameAt path;
      }).config;
  };

  either = a: b: {
    name = "${a.name} or ${b.name}";
    check = value: a.check value || b.check value;
    merge =
      path: definitions: (if all a.check (values definitions) then a else b).merge path definitions;
  };
in
{
  inherit
    attrsOf
    listOf
    anything
    submodule
    either
    ;
  lazyAttrsOf = attrsOf;
  bool = scalar "true or false" isBool;
  int = scalar "a whole number" isInt;
  port = within 0 65535;
  ints = {
    between = within;
    positive = scalar "a whole number above zero" (value: isInt value && value > 0);
    unsigned = scalar "a whole number from zero" (value: isInt value && value >= 0);
  };
  str = scalar "a string" isString;
  lines = joined "lines" "\n";
  path = scalar "a path" (
    value: isPath value || isPackage value || (isString value && builtins.substring 0 1 value == "/")
  );
  package = scalar "a package" (value: isPackage value || isPath value);
  strMatching =
    pattern: scalar "a string like ${pattern}" (value: isString value && match pattern value != null);
  enum = choices: scalar "one of ${lib.display choices}" (value: builtins.elem value choices);
  functionTo = _: scalar "a function" isFunction;
  nullOr = inner: {
    name = "nothing or ${inner.name}";
    check = value: value == null || inner.check value;
    merge =
      path: definitions:
      if all (value: value == null) (values definitions) then null else inner.merge path definitions;
  };
}
