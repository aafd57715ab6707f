// An app that makes a call, and prints the port of its callback URL, then each event that it is notified of.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"

	"example.com/app/program"
)

var api = os.Getenv("WWSPEC_BASE_URL") + "/cgi-bin/"

// newToken asks for a token. A process keeps it until it expires, and asks for another when WeCom refuses it.
func newToken() string {
	query := url.Values{"corpid": {os.Getenv("WWSPEC_CORPID")}, "corpsecret": {os.Getenv("WWSPEC_CORPSECRET")}}
	response, err := http.Get(api + "gettoken?" + query.Encode())
	check(err)
	defer response.Body.Close()
	var answer struct {
		Errcode int
		Token   string `json:"access_token"`
	}
	check(json.NewDecoder(response.Body).Decode(&answer))
	if answer.Errcode != 0 {
		log.Fatal("gettoken: ", answer.Errcode)
	}
	return answer.Token
}

func main() {
	sync := api + "chatdata/sync_call_program?access_token=" + newToken()
	to := func(ability string) map[string]string {
		return map[string]string{"program_id": os.Getenv("WWSPEC_PROGRAM_ID"), "ability_id": ability}
	}
	limit := int64(100)
	var digest program.ChatDigestOutput
	check(call(sync, to("chat_digest"), program.ChatDigestInput{Limit: &limit}, &digest))
	fmt.Println(*digest.Messages)

	fetchEvent := func(xml string) {
		fetch := to("get_callback_data")
		fetch["notify_id"] = element("NotifyId", xml)
		var event program.GetCallbackDataOutput
		if err := call(sync, fetch, struct{}{}, &event); err != nil {
			log.Print(err)
			return
		}
		fmt.Println(*event.EventType)
	}
	http.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) {
		query := request.URL.Query()
		body, _ := io.ReadAll(request.Body)
		echo := query.Get("echostr")
		sealed := echo
		if echo == "" {
			sealed = element("Encrypt", string(body))
		}
		text, err := open(os.Getenv("CALLBACK_TOKEN"), os.Getenv("CALLBACK_KEY"), os.Getenv("WWSPEC_CORPID"), query, sealed)
		if err != nil {
			log.Print(err)
			answer.WriteHeader(http.StatusForbidden)
		} else if echo != "" {
			io.WriteString(answer, text)
		} else {
			go fetchEvent(text) // beside the answer, for which WeCom does not wait long
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, nil))
}

func element(name, xml string) string {
	found := regexp.MustCompile("<" + name + `><!\[CDATA\[(.*?)\]\]>`).FindStringSubmatch(xml)
	if found == nil {
		return ""
	}
	return found[1]
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
