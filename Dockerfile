# syntax=docker/dockerfile:1
# Builds the image of the controller: docker build -t registry.example.com/kube-glue:0.1.0 .
# Tags move, so both base images are pinned by the digests of their indexes for all platforms, as public builds of 2026 have
# them. `docker buildx imagetools inspect IMAGE` says what a tag is now; a newer one is a --build-arg, or a change here.
ARG RUST_IMAGE=rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1
ARG BASE_IMAGE=gcr.io/distroless/cc-debian13:nonroot@sha256:e792ab3d241a468a4fd7519ddbbebe66b49b5f365771716ea688ad40b6c6f1c2

FROM ${RUST_IMAGE} AS build
# The program contains the list of its crates and versions, for scanners: cargo audit bin, Trivy, Grype, Syft.
RUN cargo install cargo-auditable --version 0.7.7 --locked
WORKDIR /source
COPY . .
# Cache mounts are not part of the layer, so the same step copies the binary out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo auditable build --release --locked --package kube-glue --bin kube-glue \
    && cp target/release/kube-glue /kube-glue

# glibc, CA certificates and an unprivileged user, without a shell or a package manager.
FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Runs AWS Glue from Kubernetes"
COPY --from=build /kube-glue /usr/local/bin/kube-glue
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/kube-glue"]
