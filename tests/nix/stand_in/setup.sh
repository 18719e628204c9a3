# shellcheck shell=bash
# What stands in the place of stdenv's setup: PATH from the inputs, and the build.
stand_in_path=
for input in ${nativeBuildInputs:-} ${buildInputs:-}; do
  if [ -d "$input/bin" ]; then stand_in_path+=$input/bin:; fi
done
export PATH=$stand_in_path${initialPath:-}
export SHELL=${shell:-/bin/bash}
unset stand_in_path input
genericBuild() {
  if [ -e "${buildCommandPath:-}" ]; then
    # shellcheck source=/dev/null
    source "$buildCommandPath"
  else
    eval "$buildCommand"
  fi
}
