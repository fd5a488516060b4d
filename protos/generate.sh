#!/bin/sh
# Regenerates services/rpc from the contracts. With a folder as argument, writes there instead (the freshness check does).
# The virtual path makes the generated imports right without patching: services/rpc/... is where the files live.
set -eu
cd "$(dirname "$0")/.."
out=${1:-.}
mkdir -p "$out"
python -m grpc_tools.protoc -Iservices/rpc=protos \
  --python_out="$out" --mypy_out=quiet:"$out" --grpc_python_out="$out" --mypy_grpc_out=only_async,quiet:"$out" \
  $(find protos -name '*.proto' | sort)
find "$out/services/rpc" -type d -name v1 | while read -r package; do
  touch "$package/__init__.py" "$(dirname "$package")/__init__.py" "$(dirname "$(dirname "$package")")/__init__.py"
done
touch "$out/services/rpc/__init__.py"
