#!/bin/sh
# Takes out of an installation what a container never uses: slim.sh VENV. What is left imports as before.
set -eu
cd "$1"/lib/python3*/site-packages

# OpenVINO compiles for the CPU alone: the plugins of Intel's GPU and NPU, the GPU's kernels, and the
# plugins that choose among devices.
for plugin in intel_gpu intel_npu auto auto_batch hetero; do
    rm openvino/libs/libopenvino_${plugin}_plugin.so
done
rm openvino/libs/cache.json

# Artefacts hold OpenVINO's own IR. Readers of other formats are parts that OpenVINO does without;
# where there is torch, models are made, and those of torch are read.
for format in gguf jax onnx paddle tensorflow tensorflow_lite; do
    rm openvino/libs/libopenvino_${format}_frontend.so*
    rm -rf openvino/frontend/$format
done
if [ ! -d torch ]; then
    rm -r openvino/libs/libopenvino_pytorch_frontend.so* openvino/frontend/pytorch
fi

# Of the AWS services described there, s3fs speaks to S3, and to those that give it its credentials.
find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sts ! -name 'sso*' \
    ! -name signin -exec rm -r {} +

# The packages' own tests.
for package in lap numpy scipy; do
    [ ! -d $package ] || find $package -type d -name tests -prune -exec rm -r {} +
done

# Nothing is compiled or type-checked in a container: headers, sources and stubs of extensions, and
# libraries to link with.
rm -rf openvino/include openvino/cmake torch/include nvidia/*/include
find . -type f \( -name '*.a' -o -name '*.[ch]' -o -name '*.p[xy][dix]' \) -delete

# What debuggers read. Files without it stay untouched: their layout was patched when they were made
# into wheels, and strip would leave some that cannot be loaded.
find . -type f -name '*.so*' | while read -r file; do
    case $(readelf -SW "$file") in
    *.debug_info*) strip --strip-debug "$file" ;;
    esac
done
