-- Asks Twinkey's /forward-auth about a request and puts the answer into variables of the transaction.
-- Needs HAProxy 2.5 or later with Lua.

local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or ""
end

core.register_action("forward_auth", { "http-req" }, function(txn, url)
  local headers = {
    ["x-forwarded-for"] = { txn.f:src() },
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-uri"] = { txn.f:pathq() },
  }
  local authorization = first(txn.http:req_get_headers(), "authorization")
  if authorization ~= "" then
    headers["authorization"] = { authorization }
  end

  -- Without an answer the status stays 0, which is no permission.
  local ok, answer = pcall(function()
    return core.httpclient():get({ url = url, headers = headers, timeout = 5000 })
  end)
  local status = ok and answer and answer.status or 0
  local sent = ok and answer and answer.headers or {}
  txn:set_var("txn.auth_status", status)
  txn:set_var("txn.auth_challenge", first(sent, "www-authenticate"))
  txn:set_var("txn.auth_user_id", first(sent, "x-auth-user-id"))
  txn:set_var("txn.auth_user_login", first(sent, "x-auth-user-login"))
  txn:set_var("txn.auth_api_key", first(sent, "x-auth-api-key"))
  txn:set_var("txn.auth_scopes", first(sent, "x-auth-scopes"))
end, 1)
