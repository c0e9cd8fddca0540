# syntax=docker/dockerfile:1
# Builds the image of the controller: docker build -t registry.example.com/kube-glue:0.1.0 .
# Tags move: pin both base images by digest, such as --build-arg BASE_IMAGE=gcr.io/distroless/cc-debian12@sha256:...
ARG RUST_IMAGE=rust:1.95-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

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
