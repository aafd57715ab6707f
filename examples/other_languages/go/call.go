package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// call calls an ability. The reply's Errcode is the program's.
func call(url string, to map[string]string, request, reply any) error {
	data, _ := json.Marshal(request)
	to["request_data"] = string(data)
	body, _ := json.Marshal(to)
	response, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return errors.Unwrap(err) // without the URL, which has the token
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer["errcode"] != 0.0 {
		return fmt.Errorf("%v %v, %v", answer["errcode"], answer["errmsg"], err)
	}
	return json.Unmarshal([]byte(fmt.Sprint(answer["response_data"])), reply)
}
