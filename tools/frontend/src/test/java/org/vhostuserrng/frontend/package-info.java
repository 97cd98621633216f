/** Unit tests of the front-end: they compare encoding, rings and message sequences with the specifications. */
package org.vhostuserrng.frontend;
