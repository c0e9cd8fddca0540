# syntax=docker/dockerfile:1
# Builds the image of the controller: docker build -t ghcr.io/kube-glue/kube-glue:0.1.0 .

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# Cache mounts are not part of the layer, so the same step copies the binary out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package kube-glue --bin kube-glue \
    && cp target/release/kube-glue /kube-glue

# glibc, CA certificates and an unprivileged user, without a shell or a package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.source="https://github.com/kube-glue/kube-glue" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Runs AWS Glue from Kubernetes"
COPY --from=build /kube-glue /usr/local/bin/kube-glue
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/kube-glue"]
