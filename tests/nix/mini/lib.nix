# The part of nixpkgs' `lib` that modules here may use. A name that is missing fails the evaluation: add it after
# looking that nixpkgs has it.
let
  inherit (builtins)
    concatStringsSep
    elemAt
    filter
    isString
    length
    replaceStrings
    stringLength
    substring
    toJSON
    ;

  wrapped = kind: extra: { _type = kind; } // extra;
  override = priority: content: wrapped "override" { inherit priority content; };

  letters = text: builtins.genList (at: substring at 1 text) (stringLength text);

  lib = builtins // {
    inherit (import ./modules.nix lib) evalModules forTypes;
    types = import ./types.nix lib;

    # How a message shows a value.
    display =
      value:
      if builtins.isFunction value then
        "a function"
      else if builtins.isAttrs value then
        "a set of ${concatStringsSep ", " (builtins.attrNames value)}"
      else
        builtins.unsafeDiscardStringContext (toJSON value);

    mkOption = wrapped "option";
    mkEnableOption =
      what:
      lib.mkOption {
        type = lib.types.bool;
        default = false;
        example = true;
        description = "Whether to enable ${what}.";
      };
    mkIf = condition: content: wrapped "condition" { inherit condition content; };
    mkMerge = contents: wrapped "merge" { inherit contents; };
    mkOverride = override;
    mkForce = override 50;
    mkDefault = override 1000;
    mkBefore =
      content:
      wrapped "order" {
        priority = 500;
        inherit content;
      };
    mkAfter =
      content:
      wrapped "order" {
        priority = 1500;
        inherit content;
      };
    literalExpression = text: {
      _type = "literal";
      inherit text;
    };
    literalMD = text: {
      _type = "literal";
      inherit text;
    };

    optional = condition: item: if condition then [ item ] else [ ];
    optionals = condition: items: if condition then items else [ ];
    optionalString = condition: text: if condition then text else "";
    optionalAttrs = condition: set: if condition then set else { };

    remove = item: filter (one: one != item);
    toUpper = replaceStrings (letters "abcdefghijklmnopqrstuvwxyz") (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    recursiveUpdate =
      a: b:
      if builtins.isAttrs a && builtins.isAttrs b then
        a
        // builtins.mapAttrs (name: value: if a ? ${name} then lib.recursiveUpdate a.${name} value else value) b
      else
        b;

    findFirst =
      wanted: otherwise: items:
      let
        found = filter wanted items;
      in
      if found == [ ] then otherwise else builtins.head found;
    unique = builtins.foldl' (
      seen: item: if builtins.elem item seen then seen else seen ++ [ item ]
    ) [ ];

    genAttrs =
      names: make:
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = make name;
        }) names
      );
    mapAttrsToList = make: set: map (name: make name set.${name}) (builtins.attrNames set);
    filterAttrs =
      keep: set: removeAttrs set (filter (name: !keep name set.${name}) (builtins.attrNames set));

    concatMapStringsSep =
      separator: make: items:
      concatStringsSep separator (map make items);
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    removePrefix =
      prefix: text: if lib.hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
    splitString = separator: text: filter isString (builtins.split (lib.escapeRegex separator) text);
    escapeRegex =
      replaceStrings
        [
          "."
          "*"
          "+"
          "?"
          "("
          ")"
          "["
          "|"
          "^"
          "$"
        ]
        [
          "\\."
          "\\*"
          "\\+"
          "\\?"
          "\\("
          "\\)"
          "\\["
          "\\|"
          "\\^"
          "\\$"
        ];
    escapeShellArg = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
    escapeShellArgs = lib.concatMapStringsSep " " lib.escapeShellArg;

    getExe =
      package:
      lib.getExe' package (package.meta.mainProgram or (throw "${package.name} has no main program"));
    getExe' = package: program: "${package}/bin/${program}";
    makeBinPath = lib.concatMapStringsSep ":" (package: "${package}/bin");
    makeLibraryPath = lib.concatMapStringsSep ":" (package: "${package}/lib");
    versions.majorMinor =
      version:
      concatStringsSep "." (
        map (elemAt (lib.splitString "." version)) [
          0
          1
        ]
      );
    inherit length;
  };
in
lib
