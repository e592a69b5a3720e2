use super::*;
use crate::json::{Document, Limits};

/// Bytes of a picture, long enough to be passed over.
const PIXELS: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// The media of a body in which `$` stands for the bytes of a picture, and whether they are passed over.
fn read(json: &str) -> (Vec<&'static str>, Option<Media>) {
    let json = json.replace('$', PIXELS);
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let contents = Contents::of(document.root());
    let mut payload = None;
    payloads(document.root(), &contents, &mut payload);
    assert_eq!(contents.media(), media(document.root()));
    (contents.media().iter().map(Media::as_str).collect(), payload)
}

fn payloads(node: Node<'_>, contents: &Contents, found: &mut Option<Media>) {
    if let Some(token) = node.string() {
        *found = contents.payload(&token).or(*found);
    }
    node.entries().for_each(|(_, value)| payloads(value, contents, found));
    node.items().for_each(|item| payloads(item, contents, found));
}

#[test]
fn bytes_are_found_in_every_shape() {
    for (part, medium) in [
        // OpenAI
        (r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,$"}}"#, Media::Image),
        (r#"{"type":"input_image","image_url":"data:image/png;base64,$"}"#, Media::Image),
        (r#"{"type":"input_audio","input_audio":{"data":"$","format":"wav"}}"#, Media::Audio),
        (r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,$"}}"#, Media::Document),
        (r#"{"type":"file","file":{"file_data":"$"}}"#, Media::Document),
        (r#"{"type":"input_file","file_data":"$"}"#, Media::Document),
        (r#"{"type":"video_url","video_url":{"url":"data:video/mp4;base64,$"}}"#, Media::Video),
        // Anthropic
        (r#"{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"$"}}"#, Media::Image),
        (
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"$"}}"#,
            Media::Document,
        ),
        (r#"{"type":"image","source":{"data":"$"}}"#, Media::Image),
        (
            r#"{"type":"tool_result","content":[{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"$"}}]}"#,
            Media::Image,
        ),
        (
            r#"{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"base64","data":"$"}}]}}"#,
            Media::Image,
        ),
        // Gemini
        (r#"{"inlineData":{"mimeType":"image/webp","data":"$"}}"#, Media::Image),
        (r#"{"inline_data":{"mime_type":"audio/mp3","data":"$"}}"#, Media::Audio),
        (r#"{"inlineData":{"mimeType":"video/mp4","data":"$"}}"#, Media::Video),
        (r#"{"inlineData":{"mimeType":"application/pdf","data":"$"}}"#, Media::Document),
        (r#"{"inlineData":{"mimeType":"application/zip","data":"$"}}"#, Media::File),
        // Bedrock
        (r#"{"image":{"format":"png","source":{"bytes":"$"}}}"#, Media::Image),
        (r#"{"document":{"format":"pdf","name":"a","source":{"bytes":"$"}}}"#, Media::Document),
        (r#"{"video":{"format":"mp4","source":{"bytes":"$"}}}"#, Media::Video),
        // Ollama
        (r#"{"role":"user","content":"what is this","images":["$"]}"#, Media::Image),
        // As the most tolerant server reads it.
        (r#"{"role":"user","Images":["$"]}"#, Media::Image),
        (r#"{"Inline_Data":{"MIME_TYPE":"IMAGE/PNG","data":"$"}}"#, Media::Image),
    ] {
        let found = read(&format!(r#"{{"messages":[{{"content":[{part}]}}]}}"#));
        assert_eq!(found, (vec![medium.as_str()], Some(medium)), "{part}");
    }
}

#[test]
fn what_may_be_a_text_is_found_and_not_passed_over() {
    for (part, medium) in [
        (r#"{"new_shape":["data:image/png;base64,$"]}"#, Media::Image),
        (r#"{"new_shape":["DATA:image/png;base64,$"]}"#, Media::Image),
        (r#"{"new_shape":["\u0064ata:image\/png;base64,$"]}"#, Media::Image),
        (r#"{"new_shape":["da\u0074a:image/png;base64,$"]}"#, Media::Image),
        (r#"{"new_shape":"DATA:Audio/WAV;codecs=1;BASE64,$"}"#, Media::Audio),
        (r#"{"type":"tool_use","input":{"images":["$"]}}"#, Media::Image),
        (r#"{"functionResponse":{"response":{"inlineData":{"mimeType":"image/png","data":"$"}}}}"#, Media::Image),
        (r#"{"tools":[{"x":{"images":["$"]}}]}"#, Media::Image),
    ] {
        assert_eq!(read(&format!(r#"{{"x":[{part}]}}"#)), (vec![medium.as_str()], None), "{part}");
    }
}

#[test]
fn references_are_found_in_every_shape() {
    for part in [
        r#"{"type":"image_url","image_url":{"url":"https://a.test/a.png"}}"#,
        r#"{"type":"input_image","image_url":"https://a.test/a.png"}"#,
        r#"{"type":"input_image","file_id":"file-1"}"#,
        r#"{"type":"file","file":{"file_id":"file-1"}}"#,
        r#"{"type":"input_file","file_id":"file-1"}"#,
        r#"{"type":"input_file","file_url":"https://a.test/a.pdf"}"#,
        r#"{"role":"assistant","audio":{"id":"audio_1"}}"#,
        r#"{"type":"image","source":{"type":"url","url":"https://a.test/a.png"}}"#,
        r#"{"type":"document","source":{"type":"file","file_id":"file_1"}}"#,
        r#"{"type":"container_upload","file_id":"file_1"}"#,
        r#"{"fileData":{"mimeType":"image/png","fileUri":"gs://b/a.png"}}"#,
        r#"{"file_data":{"file_uri":"https://a.test/files/1"}}"#,
        r#"{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/a.png"}}}}"#,
    ] {
        assert_eq!(read(&format!(r#"{{"x":[{part}]}}"#)), (vec!["reference"], None), "{part}");
    }
}

#[test]
fn numbers_of_tokens_stand_at_the_top() {
    for json in [
        r#"{"input":[1,2,3]}"#,
        r#"{"prompt":[[1,2],[3]]}"#,
        r#"{"context":[1],"prompt":"x"}"#,
        r#"{"input":["x",15339]}"#,
        r#"{"Input":[1]}"#,
    ] {
        assert_eq!(read(json), (vec!["tokens"], None), "{json}");
    }
    for json in
        [r#"{"input":["a","b"]}"#, r#"{"input":[]}"#, r#"{"x":{"input":[1]}}"#, r#"{"input":7}"#, r#"{"n":[1]}"#]
    {
        assert_eq!(read(json), (vec![], None), "{json}");
    }
}

#[test]
fn texts_are_no_media() {
    for part in [
        r#"{"type":"text","text":"an image_url and data:image/png;base64,$"}"#,
        r#"{"type":"text","text":"data:image/png;base64,AAAA is how it begins"}"#,
        r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}}"#,
        r#"{"type":"document","source":{"type":"content","content":"words"}}"#,
        r#"{"document":{"format":"txt","source":{"text":"words"}}}"#,
        r#"{"type":"search_result","source":"https://a.test","title":"t","content":[]}"#,
        r#"{"type":"function","parameters":{"properties":{"file_id":{"type":"string"},"image":{"type":"string"}}}}"#,
        r#"{"type":"tool_use","input":{"file_id":"1","image_url":"https://a.test","data":"$"}}"#,
        r#"{"audio":{"voice":"alloy","format":"wav"}}"#,
        r#"{"images":"three","image":"a picture","file":"a.txt","new_shape":"$"}"#,
    ] {
        assert_eq!(read(&format!(r#"{{"x":[{part}]}}"#)), (vec![], None), "{part}");
    }
}

#[test]
fn labels_hide_no_text() {
    let hidden = base64::engine::general_purpose::STANDARD
        .encode("the card is 5425 2334 3010 9903, valid until the end of next year");
    for (part, medium) in [
        (r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"my card is 5425 2334 3010 9903 and so on, and so on, and so on"}}"#.to_owned(), "image"),
        (r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"5425233430109903"}}"#.to_owned(), "image"),
        (r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,bob@example.org"}}"#.to_owned(), "image"),
        (r#"{"images":["bob@example.org"]}"#.to_owned(), "image"),
        (format!(r#"{{"images":["{hidden}"]}}"#), "image"),
        (format!(r#"{{"inlineData":{{"mimeType":"text/plain","data":"{hidden}"}}}}"#), "document"),
        (r#"{"inlineData":{"mimeType":"text/csv","data":"$"}}"#.to_owned(), "document"),
        (format!(r#"{{"x":"data:text/plain;charset=utf-8;base64,{hidden}"}}"#), "document"),
    ] {
        assert_eq!(read(&format!(r#"{{"x":[{part}]}}"#)), (vec![medium], None), "{part}");
    }
}

#[test]
fn escapes_and_lines_are_bytes_still() {
    for data in [PIXELS.replace('/', "\\/"), format!("{}\\n", PIXELS.replacen("AAA", "AAA\\n", 1))] {
        let (media, payload) = read(&format!(r#"{{"images":["{data}"]}}"#));
        assert_eq!((media, payload), (vec!["image"], Some(Media::Image)), "{data}");
    }
}

#[test]
fn sets() {
    let mut set = MediaSet::default();
    assert!(set.is_empty() && set.is_subset(set));
    set.insert(Media::Reference);
    set.insert(Media::Image);
    assert!(set.contains(Media::Image) && !set.contains(Media::Audio));
    assert_eq!(format!("{set:?}"), "{Image, Reference}");
    assert!(!set.is_subset(MediaSet::from_iter([Media::Image])) && set.is_subset(Media::ALL.into_iter().collect()));
    for media in Media::ALL {
        assert_eq!(serde_json::from_value::<Media>(media.as_str().into()).unwrap(), media);
    }
}
