//! Why a caller was not let in.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $text:literal;)*) => {
        /// Why no identity was proven. Codes are stable: they go on the record and into the caller's error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, for tables and documents.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The stable code: `identity.expired`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => concat!("identity.", $code),)* }
            }

            /// What to tell the caller: what is wrong and what to do about it. Never holds anything they sent.
            pub const fn description(self) -> &'static str {
                match self { $(Reason::$name => $text,)* }
            }
        }
    };
}

reasons! {
    /// No credential at all.
    Missing "missing" "No credential. Send a token or an API key of this gateway as `Authorization: Bearer`.";
    /// More than one credential, or one header twice.
    Repeated "repeated" "More than one credential. Send exactly one, in one place.";
    /// A credential under a query parameter that is not accepted.
    Misplaced "misplaced" "A credential stands in the query string where none is accepted. Send it as `Authorization: Bearer`.";
    /// Neither a JSON Web Token nor an API key, or a broken one.
    Malformed "malformed" "The credential is not a well-formed token or API key. Send it complete and unchanged.";
    /// Longer than `max_token_bytes`.
    TooLarge "too_large" "The credential is too long. Ask for a token with fewer claims.";
    /// The token's `iss` is not configured.
    UnknownIssuer "unknown_issuer" "The token's issuer is not trusted here. Sign in with an issuer that is.";
    /// The token has no usable `iss`.
    Issuer "issuer" "The token names no issuer. Use a token with an `iss` claim.";
    /// No key of the issuer fits the token, also after asking for a newer set.
    UnknownKey "unknown_key" "The key that signed the token is not known. Get a new token.";
    /// A well-formed API key that nobody was given.
    UnknownApiKey "unknown_api_key" "The API key is not known. Check that it belongs to this gateway.";
    /// The token's `alg` is not the one of its key.
    Algorithm "algorithm" "The token's signature algorithm is not accepted. Use a token signed as the issuer's key set says.";
    /// The signature does not verify.
    Signature "signature" "The token's signature does not verify. Send the token unchanged, or get a new one.";
    /// `crit`, an embedded key or a link to one in the token's header.
    Header "header" "The token's header carries a parameter that is not accepted (`crit`, or a key of its own). Get a plain token.";
    /// `typ` is not a JWT's, or not the configured one.
    Type "type" "The token is of the wrong type. Send an access or ID token.";
    /// `exp` has passed.
    Expired "expired" "The credential has expired. Get a new one.";
    /// `nbf` or `iat` is in the future.
    NotYetValid "not_yet_valid" "The token is not valid yet. Check the issuer's clock, or wait.";
    /// The token lives longer than `max_lifetime`.
    Lifetime "lifetime" "The token is valid for longer than accepted here. Get one with a shorter life.";
    /// `aud` does not name us.
    Audience "audience" "The token is meant for somebody else. Ask the issuer for a token for this audience.";
    /// On the policy's list of revoked credentials.
    Revoked "revoked" "The credential was revoked. Get a new one.";
    /// `cnf`: the token is bound to a key that the caller did not prove to hold.
    Binding "binding" "The token is bound to another certificate or key than this connection's. Present the certificate it was issued to.";
    /// The caller has too many groups to fit into the token, so it names none.
    GroupsOverage "groups_overage" "The token leaves its groups out because there are too many. Have the issuer send only the groups assigned to the application.";
    /// A claim is missing, of the wrong type, or its value is unusable.
    Claims "claims" "A claim of the token is missing or unusable. Ask the issuer's administrator.";
    /// No key set could ever be fetched.
    KeysUnavailable "keys_unavailable" "The keys to verify the token are not available at the moment. Try again shortly.";
    /// A user is required and the credential names none.
    UserRequired "user_required" "A user must be proven here, and this credential names none. Sign in as a user.";
    /// A workload is required and the connection proves none.
    WorkloadRequired "workload_required" "A workload must be proven here. Connect with a client certificate that carries an accepted SPIFFE id.";
    /// A workload is required, hops tell which, and the connection's peer is not one of them.
    ForwardedPeer "forwarded_peer" "A workload must be proven here, and this connection's peer may not tell of one. Connect through a listed proxy, with client certificates.";
    /// `x-forwarded-client-cert` of a listed peer is not in Envoy's form, is too long, or has an element without exactly one URI.
    ForwardedCertificate "forwarded_certificate" "What the proxies in front say of the client certificate cannot be read. Send no `x-forwarded-client-cert` of your own; if you do not, ask the gateway's administrator.";
}

impl Reason {
    /// The HTTP status of the refusal: 503 where it is ours, otherwise 401.
    pub const fn status(self) -> u16 {
        match self {
            Reason::KeysUnavailable => 503,
            _ => 401,
        }
    }

    /// The `error` of a `WWW-Authenticate: Bearer` challenge (RFC 6750, section 3.1). A request that carried
    /// no credential gets none.
    pub const fn bearer_error(self) -> Option<&'static str> {
        match self {
            Reason::Missing
            | Reason::KeysUnavailable
            | Reason::UserRequired
            | Reason::WorkloadRequired
            | Reason::ForwardedPeer
            | Reason::ForwardedCertificate => None,
            Reason::Repeated | Reason::Misplaced => Some("invalid_request"),
            _ => Some("invalid_token"),
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct_and_say_what_to_do() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert!(reason.as_str().starts_with("identity."));
            assert!(reason.description().matches(['.', ',']).count() >= 1, "{reason} has no remedy");
            assert_eq!(reason.status() == 503, *reason == Reason::KeysUnavailable);
        }
        assert_eq!(Reason::Missing.bearer_error(), None);
        assert_eq!(Reason::Expired.bearer_error(), Some("invalid_token"));
    }
}
