"""What an engine has an eye on while nodes run: who blocks, who computes, who goes on though asked to stop."""
