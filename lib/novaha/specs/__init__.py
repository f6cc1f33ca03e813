"""What each of our agents says about itself: parameters, operations, descriptions."""
