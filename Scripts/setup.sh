#!/usr/bin/env bash
# Makes sure that the system has what the build needs: Debian packages and Swift; and the packages
# that are named as arguments.
# Does nothing, and asks the network nothing, when all is there.
set -euo pipefail

packages=(
  libopenblas-dev   # matrix products: cblas.h
  libdnnl-dev       # large products, and those in bfloat16: dnnl.h
  libhdf5-dev       # checkpoints: hdf5.h, hdf5-serial.pc
  libssl-dev        # SHA-256: openssl/evp.h
  hdf5-tools        # h5dump and h5diff, for people and for tests
  libturbojpeg0-dev # JPEG: turbojpeg.h
  libspng-dev       # PNG: spng.h
  libwebp-dev       # WebP: webp/decode.h
  libsentencepiece-dev # tokenizers of T5 and Llama: sentencepiece_processor.h
  openmpi-bin       # mpirun and the library of MPI, opened at run time: several processes
  pkg-config        # finds HDF5's headers
  make
  "$@"
)
least_swift=6.2

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    grep -qx "installed $package" <<<"$installed" || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_packages() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "this is no Debian or Ubuntu system: install what corresponds to ${packages[*]}," \
      "then call swift build -c release"
  fi
  local missing
  read -ra missing <<<"$(missing_packages)"
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "missing packages, and neither root nor sudo to install them." \
      "As root: apt-get install ${missing[*]}"
  fi
  echo "installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get -q update >&2 || fail "apt-get update failed: see above; missing: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y install --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install ${missing[*]}: see above"
}

check_swift() {
  local found
  command -v swift >/dev/null ||
    fail "no swift in PATH: install Swift $least_swift or later, see https://www.swift.org/install"
  found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
  [ -n "$found" ] || fail "swift --version does not say its version: install Swift $least_swift" \
    "or later, see https://www.swift.org/install"
  [ "$(printf '%s\n' "$least_swift" "$found" | sort -V | head -n 1)" = "$least_swift" ] ||
    fail "Swift $found is too old: install Swift $least_swift or later," \
      "see https://www.swift.org/install"
}

install_packages
check_swift
