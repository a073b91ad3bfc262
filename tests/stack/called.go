// Sends to a peer that has closed until that fails.
package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

func reply(connection net.Conn) error {
	for {
		if _, err := fmt.Fprint(connection, "hello"); err != nil { // the call
			return err
		}
	}
}

func main() {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	connection, _ := net.Dial("tcp", listener.Addr().String())
	peer, _ := listener.Accept()
	peer.Close()
	err := reply(connection) // its caller
	if errors.Is(err, syscall.EPIPE) {
		fmt.Println("Broken pipe")
	}
}
