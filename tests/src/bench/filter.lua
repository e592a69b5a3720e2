-- What a platform team writes for this in Envoy's Lua: behind jwt_authn, a set of allowed models and three patterns
-- over the request and the answer. It reads the body as text, which is how the Lua filter gets it.

local ALLOWED = { ["gpt-4o"] = true, ["gpt-4o-mini"] = true, ["gpt-4.1"] = true }

local EMAIL = "[%w._%%+-]+@[%w.-]+%.%a%a+"
local CARD = "%f[%d]%d%d%d%d[ -]?%d%d%d%d[ -]?%d%d%d%d[ -]?%d%d%d%d%f[%D]"
local AWS_KEY = "%f[%w]AKIA" .. string.rep("[%u%d]", 16) .. "%f[%W]"

-- The text without e-mail addresses and card numbers; how many there were; whether it holds an AWS key.
local function inspect(text)
  if text:find(AWS_KEY) then
    return text, 0, true
  end
  local masked, emails = text:gsub(EMAIL, "[EMAIL]")
  local cards
  masked, cards = masked:gsub(CARD, "[CARD]")
  return masked, emails + cards, false
end

local function deny(handle, message)
  handle:respond(
    { [":status"] = "403", ["content-type"] = "application/json" },
    '{"error":{"message":"' .. message .. '","type":"permission_error"}}')
end

function envoy_on_request(handle)
  local body = handle:body()
  if body == nil then
    return
  end
  local text = body:getBytes(0, body:length())
  local model = text:match('"model"%s*:%s*"([^"]+)"')
  if model == nil or not ALLOWED[model] then
    deny(handle, "model not allowed")
    return
  end
  local masked, findings, secret = inspect(text)
  if secret then
    deny(handle, "secret in the prompt")
    return
  end
  if findings > 0 then
    body:setBytes(masked)
  end
end

function envoy_on_response(handle)
  local body = handle:body()
  if body == nil then
    return
  end
  local masked, findings, secret = inspect(body:getBytes(0, body:length()))
  if secret then
    body:setBytes('{"error":{"message":"secret in the answer","type":"permission_error"}}')
  elseif findings > 0 then
    body:setBytes(masked)
  end
end
