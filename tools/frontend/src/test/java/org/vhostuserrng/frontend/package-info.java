/** Unit tests of the front-end's encoding, rings and message sequences against the specifications. */
package org.vhostuserrng.frontend;
