/** The front-end's encoding, ring arithmetic and sequences, against what the specifications say. */
package org.vhostuserrng.frontend;
