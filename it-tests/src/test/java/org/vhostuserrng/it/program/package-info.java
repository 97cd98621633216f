/** The packaged program seen by the person who starts it. */
package org.vhostuserrng.it.program;
