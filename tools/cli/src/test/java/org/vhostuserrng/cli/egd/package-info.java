/** Unit tests of the EGD server: its parts without sockets, and the whole server with socket clients. */
package org.vhostuserrng.cli.egd;
