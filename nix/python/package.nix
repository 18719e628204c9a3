# ragbed as a package of the Nix store: an environment of its own from the locked wheels, and the command.
#
# Servers are not in it. `ragbed up` takes them from PATH, where `programs` puts the pinned ones.
{
  lib,
  runCommand,
  makeWrapper,
  interpreter,
  libraries,
  wheels,
  programs ? [ ],
}:
let
  root = ../..;
  version = builtins.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (
      builtins.readFile (root + "/python/ragbed/_version.py")
    )
  );
  # What the build system reads, as pyproject.toml names it: a file that is added to the wheel there is here too.
  inherit (builtins.fromTOML (builtins.readFile (root + "/pyproject.toml"))) project tool;
  inherit (tool.hatch.build.targets) wheel;
  wanted = [
    "pyproject.toml"
    project.readme
  ]
  ++ project.license-files
  ++ wheel.packages
  ++ builtins.attrNames wheel.force-include;
  # What is wanted, what lies below it, and the folders above it; `lib.fileset` needs a newer Nix.
  isWanted =
    path:
    baseNameOf path != "__pycache__"
    && lib.any (one: path == one || lib.hasPrefix "${one}/" path || lib.hasPrefix "${path}/" one) wanted;
  source = builtins.path {
    path = root;
    name = "ragbed-source";
    filter = path: _: isWanted (lib.removePrefix "${toString root}/" (toString path));
  };
  onLinux = lib.optionals (libraries != "") [ "--suffix LD_LIBRARY_PATH : ${libraries}" ];
  onPath = lib.optionals (programs != [ ]) [ "--prefix PATH : ${lib.makeBinPath programs}" ];
in
runCommand "ragbed-${version}"
  {
    nativeBuildInputs = [
      interpreter
      makeWrapper
    ];
    passthru = { inherit wheels interpreter programs; };
    meta = {
      description = "A reproducible test bed for RAG systems";
      license = lib.licenses.asl20;
      mainProgram = "ragbed";
    };
  }
  ''
    export HOME=$TMPDIR
    cp -r ${source} source
    chmod -R u+w source
    python3 -m venv $out/venv
    install="$out/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps"
    $install ${wheels}/*.whl
    $install --no-build-isolation ./source
    makeWrapper $out/venv/bin/ragbed $out/bin/ragbed ${toString (onLinux ++ onPath)}
  ''
