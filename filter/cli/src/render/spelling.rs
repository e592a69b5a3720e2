//! Envoy takes each of its names in two spellings, `http_filters` and `httpFilters`. What looks for a name here looks for the first, so a
//! configuration is brought to that before anything is looked for: a name that is not seen would be a way past the filter.

use anyhow::bail;
use doorward_core::config::Tree;

use crate::lint::camel;

/// Every name of more than one word that anything here looks for or sets.
const NAMES: &[&str] = &[
    "access_log",
    "api_listener",
    "auto_config",
    "auto_san_validation",
    "auto_sni_san_validation",
    "ca_certificate_provider_instance",
    "cds_config",
    "cluster_header",
    "cluster_specifier_plugin",
    "combined_validation_context",
    "common_http_protocol_options",
    "common_tls_context",
    "config_discovery",
    "custom_validator_config",
    "default_filter_chain",
    "default_validation_context",
    "dynamic_resources",
    "early_header_mutation_extensions",
    "explicit_http_config",
    "filter_chain_match",
    "filter_chain_matcher",
    "filter_chains",
    "filter_disabled",
    "histogram_bucket_settings",
    "http2_protocol_options",
    "http_filters",
    "http_protocol_options",
    "inline_cluster_specifier_plugin",
    "lds_config",
    "load_assignment",
    "match_subject_alt_names",
    "match_typed_subject_alt_names",
    "per_connection_buffer_limit_bytes",
    "port_value",
    "root_id",
    "route_config",
    "scoped_routes",
    "socket_address",
    "static_resources",
    "stats_config",
    "stats_tags",
    "system_root_certs",
    "tag_name",
    "transport_socket",
    "transport_socket_matches",
    "trust_chain_verification",
    "trusted_ca",
    "typed_config",
    "typed_extension_protocol_options",
    "typed_per_filter_config",
    "upgrade_configs",
    "upgrade_type",
    "upstream_http_protocol_options",
    "use_downstream_protocol_config",
    "validation_context",
    "validation_context_sds_secret_config",
    "verify_certificate_hash",
    "verify_certificate_spki",
    "virtual_hosts",
    "weighted_clusters",
];

/// Whose names are somebody's own, and no names of Envoy's.
const FREE: &[&str] = &["json_format", "jsonFormat", "filter_metadata", "filterMetadata"];

/// Brings a configuration to one spelling.
///
/// # Errors
/// A name stands in both spellings at one place, which Envoy refuses, too.
pub fn one(tree: &mut Tree) -> anyhow::Result<()> {
    match tree {
        Tree::Map(entries) => {
            let own = |(key, value): &(String, Tree)| {
                key == "@type" && matches!(value, Tree::String(kind) if kind.ends_with("/google.protobuf.Struct"))
            };
            if entries.iter().any(own) {
                return Ok(());
            }
            for at in 0..entries.len() {
                let Some((key, _)) = entries.get(at) else { continue };
                if key.bytes().any(|b| b.is_ascii_uppercase())
                    && let Some(name) = NAMES.iter().find(|name| camel(name) == *key)
                {
                    if entries.iter().any(|(other, _)| other == name) {
                        bail!(
                            "`{name}` and `{key}` are one name of Envoy's, and stand at one place: take one of them out"
                        );
                    }
                    if let Some((key, _)) = entries.get_mut(at) {
                        *key = (*name).to_owned();
                    }
                }
                if let Some((key, value)) = entries.get_mut(at)
                    && !FREE.contains(&key.as_str())
                {
                    one(value)?;
                }
            }
            Ok(())
        }
        Tree::List(items) => items.iter_mut().try_for_each(one),
        _ => Ok(()),
    }
}
