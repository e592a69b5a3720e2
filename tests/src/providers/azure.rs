//! Azure OpenAI: the deployment is in the path (`/openai/deployments/D/OPERATION?api-version=V`), or the path is
//! OpenAI's below `/openai/v1/`; answers carry the results of a content filter.

use std::sync::Arc;

use serde_json::json;

use super::chat::Dialect;
use super::{Asked, failed, openai};
use crate::upstream::{Handler, Script, Seen};

/// Azure OpenAI as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| answer(Asked::of(seen)))
}

fn answer(mut asked: Asked) -> Script {
    if let Some(operation) = asked.path.strip_prefix("/openai/v1/") {
        return openai::answer(&asked, operation, Dialect::Azure);
    }
    let deployment = asked.path.strip_prefix("/openai/deployments/").and_then(|rest| rest.split_once('/'));
    let Some((deployment, operation)) = deployment else { return missing() };
    if !asked.query.split('&').any(|pair| pair.starts_with("api-version=")) {
        return missing();
    }
    // The deployment decides, whatever the body says.
    if let Some(body) = asked.body.as_object_mut() {
        body.insert("model".to_owned(), json!(deployment));
    }
    openai::answer(&asked, operation, Dialect::Azure)
}

fn missing() -> Script {
    failed(404, &json!({"error": {"code": "404", "message": "Resource not found"}}))
}
