//! The manifests in `envoy/` are what `doorward render` makes of the policies beside them. `UPDATE=1` writes them again.

use super::{doorward, root};

const MODULE: &str =
    "oci://registry.example.com/doorward@sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Policy, manifest, and how the one becomes the other.
const MADE: [(&str, &str, &str); 4] = [
    (
        "istio/egress-policy.yaml",
        "istio/egress-gateway.yaml",
        "--to envoy-filter --topology gateway --mutual --selector istio=egressgateway --namespace istio-system --name doorward-egress",
    ),
    (
        "istio/sidecar-policy.yaml",
        "istio/sidecar.yaml",
        "--to traffic-extension --topology sidecar-inbound --selector app=vllm --namespace ml",
    ),
    (
        "istio/waypoint-policy.yaml",
        "istio/waypoint.yaml",
        "--to traffic-extension --topology waypoint --target-ref Gateway/waypoint --namespace ml",
    ),
    (
        "gateway/policy.yaml",
        "gateway/extension-policy.yaml",
        "--to envoy-gateway --topology gateway --target-ref Gateway/llm --namespace llm",
    ),
];

#[test]
fn manifests_are_rendered_from_the_policies_beside_them() {
    for (policy, manifest, how) in MADE {
        let file = root(&format!("envoy/{policy}"));
        let mut arguments = vec!["render", "--module", MODULE, &file];
        arguments.extend(how.split_whitespace());
        let ran = doorward(&arguments);
        assert_eq!(ran.code, 0, "{policy}: {}", ran.err);
        assert!(!ran.err.contains("warning: "), "{policy}: {}", ran.err);
        // The first line names the file as it was given.
        let made = ran.out.replace(&file, policy.rsplit('/').next().unwrap_or(policy));
        let path = root(&format!("envoy/{manifest}"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, made, "{manifest}");
        let checked = doorward(&["check", &path]);
        assert_eq!(checked.code, 0, "{manifest}: {}", checked.out);
    }
}
